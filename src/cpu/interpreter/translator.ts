/**
 * Decodes runs of guest instructions into records of the decode cache, keeps the table from addresses to records, and
 * drops records when their page changes. A run goes on past conditional branches, calls and system calls until an
 * instruction that ends a block, the page's end, or an instruction that is decoded already.
 *
 * What is decoded is kept by content and taken over by other engines (code-pages.ts).
 *
 * Entry points: `find`, `translate`, `invalidate`, `forget`, `inherit`, `copyFrom`.
 */
import { DECODE_CACHE, DECODE_CACHE_SIZE, EXECUTE_TAGS } from '../../memory/layout.ts';
import { AddressKind, decode, Instruction, NO_REGISTER, Status } from '../decode/decoder.ts';
import { File, Place } from '../decode/operands.ts';
import { FORM_ENDS, FORM_IMMEDIATE, Immediate, SHAPES } from '../decode/table.ts';
import { Access, type EngineHost, Trap } from '../engine.ts';
import { at, FS_BASE, GPR, GS_BASE, TRAP_ACCESS, TRAP_ADDRESS, X87, XMM } from '../state.ts';
import { CODE_PAGES, type CodePage } from './code-pages.ts';
import { Ending } from './handler.ts';
import { LIBRARY, Special } from './library.ts';
import { HASH_GROUP_BITS, HASH_GROUP_MASK, HASH_MASK, HASH_MULTIPLIER, HASH_SHIFT, HASH_TABLE } from './private.ts';
import {
  ADDRESS,
  DISPLACEMENT,
  HANDLER,
  IMMEDIATE,
  IMMEDIATE2,
  INDEX,
  LENGTH,
  LINK,
  RECORD_SIZE,
  REG,
  RM,
  SCALE,
  SEGMENT,
} from './record.ts';

const PAGE = 4096;
const MAX_RUN = 64;
/** Instructions in one fused handler, and in code that is fused at once. */
const MAX_SEQUENCE = 8;
const MAX_FUSED_RUN = 32;
const WORDS = RECORD_SIZE / 4;
/** Dropped records after which all are: code that is changed often would make the chains of the hash table long. */
const MAX_DROPPED = 2048;
/** Two records for a single step, then runs. */
const FIRST = DECODE_CACHE + 2 * RECORD_SIZE;
/** Records are kept below this, so that the hash table stays sparse. */
const LIMIT = DECODE_CACHE + Math.min(DECODE_CACHE_SIZE, 300_000 * RECORD_SIZE) - (MAX_RUN + 2) * RECORD_SIZE;
const TWO_32 = 0x1_0000_0000;

/** Linear address of the state block as a signed number, which engines keep as a small integer. */
const BASE = at(0) | 0;

/** Linear address of each register file's first slot, and bytes between slots. */
const slotAddress = (file: File, number: number): number => {
  switch (file) {
    case File.Vector:
      return BASE + XMM + number * 16;
    case File.Mmx:
      return BASE + X87 + (number & 7) * 16;
    default:
      return BASE + GPR + number * 8;
  }
};

/** Per form: register file of ModRM.reg or the opcode register, and of ModRM.rm; 128 marks byte registers. */
const BYTE = 128;
const REG_FILE = new Uint8Array(SHAPES.length);
const RM_FILE = new Uint8Array(SHAPES.length);
const FROM_OPCODE = new Uint8Array(SHAPES.length);
for (const shape of SHAPES) {
  for (const operand of shape.operands) {
    const file = operand.file | (operand.size === 'b' && operand.file === File.General ? BYTE : 0);
    if (operand.place === Place.Rm) RM_FILE[shape.index] = file;
    else if (operand.place === Place.Reg || operand.place === Place.Opcode) REG_FILE[shape.index] = file;
    if (operand.place === Place.Opcode) FROM_OPCODE[shape.index] = 1;
  }
}
/** Address of a register operand: SPL–DIL with any REX prefix, AH–BH without. */
function registerSlot(file: number, number: number, rex: number): number {
  if (file === (BYTE | File.General)) {
    return rex === 0 && number >= 4 && number < 8 ? BASE + GPR + (number - 4) * 8 + 1 : BASE + GPR + number * 8;
  }
  return slotAddress(file as File, number);
}

/** A page of code as one engine has it: how many words of its records are in the decode cache. */
interface Held {
  readonly code: CodePage;
  loaded: number;
}

export class Translator {
  /** Next free record. */
  top = FIRST;
  decoded = 0;
  flushes = 0;
  /** Handlers that records refer to, by index: 1 if so. */
  used = new Uint8Array(1024);
  /** Handlers that were met and that the engine may not have in its table yet. */
  readonly wanted: number[] = [];
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #hash: Int32Array;
  readonly #executeTags: Int32Array;
  readonly #state: DataView;
  readonly #d = new Instruction();
  /** Runs by page number: start and end record, two entries a run. */
  #runs = new Map<number, number[]>();
  /** Whether decoded code is shared with other engines. */
  shares = true;
  /** Pages whose content is known to be that of a code page, by number. Those with runs only. */
  readonly #held = new Map<number, Held>();
  /** Dropped records, which stay in the hash table. */
  #dropped = 0;
  readonly #join = new Uint8Array(64);
  #sidePage: Uint8Array | undefined;
  #codePage = -1;
  #code: Uint8Array = this.#join;

  constructor(
    readonly memory: WebAssembly.Memory,
    private readonly host: EngineHost,
  ) {
    const { buffer } = memory;
    this.#words = new Int32Array(buffer, DECODE_CACHE, DECODE_CACHE_SIZE / 4);
    this.#bytes = new Uint8Array(buffer, DECODE_CACHE, DECODE_CACHE_SIZE);
    this.#hash = new Int32Array(buffer, at(HASH_TABLE), HASH_MASK + 1);
    this.#executeTags = new Int32Array(buffer, EXECUTE_TAGS, 1 << 20);
    this.#state = new DataView(buffer, at(0), PAGE);
  }

  /** The record of an address (as two halves), or 0. */
  find(low: number, high: number): number {
    const words = this.#words;
    let entry = this.#hashOf(low);
    for (let step = 1; ; entry += step++) {
      const record = this.#hash[entry & HASH_MASK];
      if (record === 0) return 0;
      const word = ((record >>> 0) - DECODE_CACHE) >>> 2;
      if (words[word + ADDRESS / 4] === (low | 0) && words[word + ADDRESS / 4 + 1] === high) return record >>> 0;
    }
  }

  /**
   * Decodes the run at an address and returns its first record; or, negative, −1 − trap if it cannot be fetched.
   * May flush: then no record address from before is valid, and `flushes` has grown.
   */
  translate(low: number, high: number): number {
    if (high < 0 || high > 0x7fff) return this.#unfetchable(low, high);
    if (this.top > LIMIT) {
      this.flushes++;
      this.clearWith?.();
    }
    const rip = high * TWO_32 + (low >>> 0);
    const page = Math.floor(rip / PAGE);
    let held = this.#held.get(page);
    if (held !== undefined && this.#load(page, held)) {
      const record = this.find(low, high);
      if (record !== 0) return record;
    }
    const code = this.#fetchable(page);
    if (code === undefined) return this.#fault(rip);
    this.#noteRun(page);
    if (held === undefined && this.shares) {
      held = { code: CODE_PAGES.find(page, new Int32Array(code.buffer, code.byteOffset, PAGE / 4)), loaded: 0 };
      this.#held.set(page, held);
      if (this.#load(page, held)) {
        const record = this.find(low, high);
        if (record !== 0) return record;
      }
    }
    const start = this.top;
    const pageAddress = page * PAGE;
    let offset = rip - pageAddress;
    const d = this.#d;
    let ended = false;
    let crossing = false;
    let count = 0;
    while (!ended && !crossing && offset < PAGE && count < MAX_RUN) {
      const address = pageAddress + offset;
      if (count > 0 && this.find(address | 0, high) !== 0) break;
      let status = decode(code, offset, PAGE, d);
      if (status === Status.Short) {
        const rest = PAGE - offset;
        this.#join.set(code.subarray(offset));
        const next = this.#fetchable(page + 1);
        if (next === undefined) {
          if (count === 0) return this.#fault(pageAddress + PAGE);
          break;
        }
        this.#join.set(next.subarray(0, 16), rest);
        status = decode(this.#join, 0, rest + 16, d);
        crossing = true;
      }
      const record = this.top;
      this.top += RECORD_SIZE;
      this.#write(record, status, address);
      this.#enter(address | 0, record);
      count++;
      offset += d.length;
      ended = status !== Status.Ok || FORM_ENDS[d.form] !== 0;
    }
    this.decoded += count;
    if (!ended) this.#writeContinue(pageAddress + offset);
    this.#runs.get(page)!.push(start, this.top);
    if (crossing) {
      this.#noteRun(page + 1);
      this.#runs.get(page + 1)!.push(start, this.top);
    } else if (held !== undefined && held.loaded === held.code.length) {
      held.code.append(this.#words.subarray((start - DECODE_CACHE) >>> 2, (this.top - DECODE_CACHE) >>> 2), WORDS);
      held.loaded = held.code.length;
    }
    return start;
  }

  /** Takes over what a code page has that is not here yet. False if that is nothing or there is no room. */
  #load(page: number, held: Held): boolean {
    const { code, loaded } = held;
    const words = code.length - loaded;
    const start = this.top;
    if (words === 0 || start + words * 4 > LIMIT) return false;
    this.#words.set(code.records.subarray(loaded, code.length), (start - DECODE_CACHE) >>> 2);
    this.top = start + words * 4;
    held.loaded = code.length;
    for (const handler of code.handlers) this.#use(handler);
    this.insertWith?.(start, this.top);
    this.#runs.get(page)!.push(start, this.top);
    return true;
  }

  /** Decodes one instruction into the records of a single step; returns the record or −1 − trap. */
  translateOne(low: number, high: number): number {
    if (high < 0 || high > 0x7fff) return this.#unfetchable(low, high);
    const rip = high * TWO_32 + (low >>> 0);
    const page = Math.floor(rip / PAGE);
    const offset = rip - page * PAGE;
    const code = this.#fetchable(page);
    if (code === undefined) return this.#fault(rip);
    const d = this.#d;
    let status = decode(code, offset, PAGE, d);
    if (status === Status.Short) {
      this.#join.set(code.subarray(offset));
      const next = this.#fetchable(page + 1);
      if (next === undefined) return this.#fault((page + 1) * PAGE);
      this.#join.set(next.subarray(0, 16), PAGE - offset);
      status = decode(this.#join, 0, PAGE - offset + 16, d);
    }
    this.#write(DECODE_CACHE, status, rip);
    this.#writeSpecial(DECODE_CACHE + RECORD_SIZE, Special.Stop, rip + d.length);
    return DECODE_CACHE;
  }

  /**
   * Replaces the handlers of the straight code at a record, which is executed often, by handlers of several instructions
   * each. The records behind the first keep theirs, for jumps into the middle.
   */
  fuse(record: number): void {
    const words = this.#words;
    const handlerAt = (at: number): number => words[(at - DECODE_CACHE) >>> 2];
    for (let done = 0; done < MAX_FUSED_RUN; ) {
      const parts: number[] = [];
      let ending = Ending.Straight;
      while (parts.length < MAX_SEQUENCE && ending === Ending.Straight) {
        const single = LIBRARY.parts(handlerAt(record + parts.length * RECORD_SIZE))[0];
        if (single === undefined) break;
        ending = LIBRARY.ending(single);
        if (ending === Ending.Alone && parts.length > 0) break;
        parts.push(single);
      }
      if (parts.length === 0) return;
      words[(record - DECODE_CACHE) >>> 2] = this.#use(LIBRARY.sequence(parts));
      record += parts.length * RECORD_SIZE;
      done += parts.length;
    }
  }

  /** Stores the target's record into the branch record that missed it. */
  patchLink(source: number, target: number): void {
    this.#words[((source >>> 0) - DECODE_CACHE + LINK) >>> 2] = target | 0;
  }

  /** Drops the records of all runs that include bytes of this page. */
  invalidate(page: number): void {
    const runs = this.#runs.get(page);
    if (runs === undefined) return;
    this.#runs.delete(page);
    this.#held.delete(page);
    const words = this.#words;
    for (let i = 0; i < runs.length; i += 2) {
      for (let record = runs[i]; record < runs[i + 1]; record += RECORD_SIZE) {
        const word = (record - DECODE_CACHE) >>> 2;
        const low = words[word + ADDRESS / 4];
        const high = words[word + ADDRESS / 4 + 1];
        if (low === -1 && high === -1) continue;
        words[word + IMMEDIATE / 4] = low;
        words[word + IMMEDIATE / 4 + 1] = high;
        words[word + ADDRESS / 4] = -1;
        words[word + ADDRESS / 4 + 1] = -1;
        words[word + HANDLER / 4] = Special.Dropped;
        this.#dropped++;
      }
    }
    if (this.#dropped > MAX_DROPPED) {
      this.flushes++;
      this.clearWith?.();
    }
  }

  /** Whether a record has not been dropped. */
  lives(record: number): boolean {
    const word = ((record >>> 0) - DECODE_CACHE) >>> 2;
    return this.#words[word + HANDLER / 4] !== Special.Dropped;
  }

  /** Empties the hash table over the records of [from, to); given by the engine, which has it in WebAssembly. */
  clearWith: (() => void) | undefined;
  /** Enters the records of [from, to) into the hash table; given by the engine as well. */
  insertWith: ((from: number, to: number) => void) | undefined;

  /** Forgets all runs; the hash table must be empty of them. */
  forget(): void {
    this.top = FIRST;
    this.#dropped = 0;
    this.#runs.clear();
    this.#held.clear();
    this.#codePage = -1;
  }

  get first(): number {
    return FIRST;
  }

  /** Another window holds the same program: what it has decoded is taken over page by page, when it is first executed here. */
  inherit(other: Translator): void {
    for (const [page, { code }] of other.#held) {
      this.#noteRun(page);
      this.#held.set(page, { code, loaded: 0 });
    }
  }

  /** Takes over the records of another window that holds the same program, all at once. */
  copyFrom(other: Translator): void {
    const from = FIRST - DECODE_CACHE;
    const to = other.top - DECODE_CACHE;
    this.#bytes.set(other.#bytes.subarray(from, to), from);
    this.top = other.top;
    other.used.forEach((used, handler) => {
      if (used !== 0) this.#use(handler);
    });
    for (const [page, { code, loaded }] of other.#held) this.#held.set(page, { code, loaded });
    this.#runs = new Map([...other.#runs].map(([page, runs]) => [page, runs.slice()]));
    for (const page of this.#runs.keys()) this.host.codeTranslated(page * PAGE);
  }

  /** Notes that a handler is needed. */
  #use(handler: number): number {
    if (handler >= this.used.length) {
      const larger = new Uint8Array(Math.max(this.used.length * 2, handler + 1));
      larger.set(this.used);
      this.used = larger;
    }
    if (this.used[handler] === 0) {
      this.used[handler] = 1;
      this.wanted.push(handler);
    }
    return handler;
  }

  #hashOf(low: number): number {
    const group = Math.imul(low >>> HASH_GROUP_BITS, HASH_MULTIPLIER) >>> HASH_SHIFT;
    return (low & HASH_GROUP_MASK) | (group << HASH_GROUP_BITS);
  }

  #enter(low: number, record: number): void {
    let entry = this.#hashOf(low);
    for (let step = 1; this.#hash[entry & HASH_MASK] !== 0; step++) entry += step;
    this.#hash[entry & HASH_MASK] = record | 0;
  }

  /** The bytes of a page if instructions may be fetched from it. */
  #fetchable(page: number): Uint8Array | undefined {
    const tag = this.#executeTags[page % 0x10_0000];
    if ((tag ^ Math.floor(page / 0x10_0000)) === -1) {
      if (page !== this.#codePage) {
        this.#codePage = page;
        this.#code = new Uint8Array(this.memory.buffer, (page % 0x10_0000) * PAGE, PAGE);
      }
      return this.#code;
    }
    const side = (this.#sidePage ??= new Uint8Array(PAGE));
    return this.host.sideRead(page * PAGE, side) ? side : undefined;
  }

  #noteRun(page: number): void {
    if (this.#runs.has(page)) return;
    this.#runs.set(page, []);
    this.host.codeTranslated(page * PAGE);
  }

  #fault(address: number): number {
    this.#state.setBigUint64(TRAP_ADDRESS, BigInt(address), true);
    this.#state.setInt32(TRAP_ACCESS, Access.Execute, true);
    return -1 - Trap.PageFault;
  }

  #unfetchable(low: number, high: number): number {
    if (high >= -0x8000 && high < 0) {
      this.#state.setInt32(TRAP_ADDRESS, low, true);
      this.#state.setInt32(TRAP_ADDRESS + 4, high, true);
      this.#state.setInt32(TRAP_ACCESS, Access.Execute, true);
      return -1 - Trap.PageFault;
    }
    return -1 - Trap.GeneralProtection;
  }

  #writeContinue(target: number): void {
    this.#writeSpecial(this.top, Special.Continue, target);
    this.top += RECORD_SIZE;
  }

  #writeSpecial(record: number, handler: Special, target: number): void {
    const words = this.#words;
    const word = (record - DECODE_CACHE) >>> 2;
    words.fill(0, word, word + WORDS);
    words[word + HANDLER / 4] = handler;
    words[word + IMMEDIATE / 4] = target | 0;
    words[word + IMMEDIATE / 4 + 1] = Math.floor(target / TWO_32);
    words[word + ADDRESS / 4] = -1;
    words[word + ADDRESS / 4 + 1] = -1;
  }

  #write(record: number, status: Status, rip: number): void {
    const d = this.#d;
    const words = this.#words;
    const word = (record - DECODE_CACHE) >>> 2;
    words[word + ADDRESS / 4] = rip | 0;
    words[word + ADDRESS / 4 + 1] = Math.floor(rip / TWO_32);
    words[word + LINK / 4] = 0;
    if (status !== Status.Ok) {
      d.length = 1;
      words[word + HANDLER / 4] = status === Status.Invalid ? Special.InvalidOpcode : Special.TooLong;
      return;
    }
    const { form } = d;
    words[word + HANDLER / 4] = this.#use(LIBRARY.index(form, d.width, d.memory, d.addressKind, d.repeat));
    const next = rip + d.length;
    words[word + REG / 4] = registerSlot(REG_FILE[form], FROM_OPCODE[form] !== 0 ? d.opcodeRegister : d.reg, d.rex);
    let displacement = d.displacement;
    let displacementHigh = displacement >> 31;
    if (d.memory) {
      words[word + RM / 4] = BASE + GPR + d.base * 8;
      words[word + INDEX / 4] = BASE + GPR + d.index * 8;
      if (d.ripRelative) {
        const target = next + displacement;
        displacement = target | 0;
        displacementHigh = Math.floor(target / TWO_32);
      }
    } else words[word + RM / 4] = registerSlot(RM_FILE[form], d.rm, d.rex);
    words[word + DISPLACEMENT / 4] = displacement;
    words[word + DISPLACEMENT / 4 + 1] = displacementHigh;
    const kind = FORM_IMMEDIATE[form];
    if (kind === Immediate.RelativeByte || kind === Immediate.RelativeZ) {
      const target = next + d.immediate;
      words[word + IMMEDIATE / 4] = target | 0;
      words[word + IMMEDIATE / 4 + 1] = Math.floor(target / TWO_32);
    } else {
      words[word + IMMEDIATE / 4] = d.immediate;
      words[word + IMMEDIATE / 4 + 1] = d.immediateHigh;
      if (d.addressKind >= AddressKind.Segment) {
        words[word + SEGMENT / 4] =
          BASE + (d.segment === 4 ? FS_BASE : d.segment === 5 ? GS_BASE : GPR + NO_REGISTER * 8);
      }
    }
    const byte = record - DECODE_CACHE;
    this.#bytes[byte + SCALE] = d.scale;
    this.#bytes[byte + LENGTH] = d.length;
    this.#bytes[byte + IMMEDIATE2] = d.immediate2;
    this.#bytes[byte + IMMEDIATE2 + 1] = d.immediate2 >> 8;
  }
}
