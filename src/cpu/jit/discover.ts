/**
 * Finds the guest code of a region: from a hot address along direct jumps and branches, past calls, and into the functions
 * that are called directly, as long as it is code that was executed before (`CodeSource.known`) and the limit allows.
 * Entry point: `discover`.
 */
import { decode, Instruction, Status } from '../decode/decoder.ts';
import { Place } from '../decode/operands.ts';
import { FORM_ENDS, SHAPES } from '../decode/table.ts';

/** Guest code as the engine that asks sees it. */
export interface CodeSource {
  /** Whether an instruction at this address has been decoded by the interpreter. */
  known(address: number): boolean;
  /** Bytes of an executable page, by page number. */
  page(page: number): Uint8Array | undefined;
  /** Reads a word of guest memory if that is allowed, for jump tables. */
  word(address: number): bigint | undefined;
  /** The interpreter's handler of an instruction. */
  handler(d: Instruction): number;
  /** Where the indirect jump or call at an address was seen to go. */
  targets(address: number): readonly number[];
  /** Whether the translator can translate it. */
  supported(at: GuestInstruction): boolean;
  /** Instructions of the translated region that starts at an address; 0 if there is none. */
  translated(address: number): number;
}

export interface GuestInstruction {
  readonly rip: number;
  readonly decoded: Instruction;
  readonly handler: number;
  readonly bytes: Uint8Array;
}

export type End =
  /** Goes on at `to`, by falling through or by a jump. */
  | { readonly kind: 'jump'; readonly to: number }
  | { readonly kind: 'branch'; readonly taken: number; readonly next: number }
  /** Direct call; `inside`: the callee is part of the region. */
  | { readonly kind: 'call'; readonly to: number; readonly next: number; readonly inside: boolean }
  | { readonly kind: 'return' }
  /** Indirect jump with the targets that are known, or indirect call with the address after it. */
  | { readonly kind: 'indirect'; readonly targets: readonly number[]; readonly next: number | undefined }
  /** The interpreter executes the instruction at `at`; `next`, if execution may go on behind it. */
  | { readonly kind: 'rare'; readonly at: GuestInstruction; readonly next: number | undefined }
  /** Goes on outside. */
  | { readonly kind: 'outside'; readonly to: number };

export interface Block {
  readonly start: number;
  readonly instructions: readonly GuestInstruction[];
  readonly end: End;
}

export interface Code {
  readonly root: number;
  readonly blocks: ReadonlyMap<number, Block>;
  /** Addresses besides the root where execution may come in, and those of them that were asked for. */
  readonly entries: readonly number[];
  readonly wished: readonly number[];
  /** By the start of a block that ends with a return: the addresses in the region it may return to. */
  readonly returns: ReadonlyMap<number, readonly number[]>;
  readonly pages: readonly number[];
  readonly size: number;
}

const PAGE = 4096;
const MAX_RETURNS = 64;
const MAX_TABLE = 512;
/** Entries of a jump table lie no further from the jump. */
const FAR = 0x1_0000;

/** A callee that is translated is part of its callers too only if it is no larger than this. */
const MAX_REPEATED = 400;

interface Limits {
  readonly instructions: number;
  /** Addresses besides the root where execution is to come in. */
  readonly entries?: readonly number[];
  /** Only the block at the root, and no more instructions than this. */
  readonly single?: boolean;
}

class Discovery {
  readonly #instructions = new Map<number, GuestInstruction>();
  readonly #ends = new Map<number, End>();
  readonly #leaders = new Set<number>();
  readonly #join = new Uint8Array(32);
  readonly pages = new Set<number>();

  constructor(
    private readonly source: CodeSource,
    private readonly limits: Limits,
  ) {}

  get size(): number {
    return this.#instructions.size;
  }

  has(address: number): boolean {
    return this.#instructions.has(address);
  }

  decode(rip: number): GuestInstruction | undefined {
    const page = Math.floor(rip / PAGE);
    const offset = rip - page * PAGE;
    const code = this.source.page(page);
    if (code === undefined) return undefined;
    const decoded = new Instruction();
    let status = decode(code, offset, PAGE, decoded);
    let bytes = code.slice(offset, offset + decoded.length);
    if (status === Status.Short) {
      const next = this.source.page(page + 1);
      if (next === undefined) return undefined;
      this.#join.set(code.subarray(offset));
      this.#join.set(next.subarray(0, 16), PAGE - offset);
      status = decode(this.#join, 0, PAGE - offset + 16, decoded);
      if (status === Status.Ok) this.pages.add(page + 1);
      bytes = this.#join.slice(0, decoded.length);
    }
    if (status !== Status.Ok) return undefined;
    this.pages.add(page);
    return { rip, decoded, handler: this.source.handler(decoded), bytes };
  }

  /** Decodes from an address until control may go elsewhere; returns where it may go. */
  run(start: number): { targets: number[]; calls: number[] } {
    this.#leaders.add(start);
    const none = { targets: [], calls: [] };
    let rip = start;
    for (;;) {
      if (this.#instructions.has(rip) || this.#ends.has(rip)) {
        if (rip !== start) this.#leaders.add(rip);
        return none;
      }
      const at = this.size < this.limits.instructions ? this.decode(rip) : undefined;
      if (at === undefined) {
        this.#leaders.add(rip);
        this.#ends.set(rip, { kind: 'outside', to: rip });
        return none;
      }
      const { decoded } = at;
      const shape = SHAPES[decoded.form];
      const next = rip + decoded.length;
      this.#instructions.set(rip, at);
      const relative = shape.operands.some((o) => o.place === Place.Relative);
      const { mnemonic } = shape.form;
      const single = this.limits.single === true;
      if (relative) {
        const target = next + decoded.immediate;
        if (mnemonic === 'call') {
          this.#ends.set(rip, { kind: 'call', to: target, next, inside: false });
          return { targets: single ? [] : [next], calls: single ? [] : [target] };
        }
        if (mnemonic === 'jmp') {
          this.#ends.set(rip, { kind: 'jump', to: target });
          return { targets: single ? [] : [target], calls: [] };
        }
        this.#ends.set(rip, { kind: 'branch', taken: target, next });
        return { targets: single ? [] : [next, target], calls: [] };
      }
      if (mnemonic === 'ret' && decoded.width === 64) {
        this.#ends.set(rip, { kind: 'return' });
        return none;
      }
      if (!this.source.supported(at)) {
        const last = FORM_ENDS[decoded.form] !== 0;
        this.#ends.set(rip, { kind: 'rare', at, next: last ? undefined : next });
        return { targets: last || single ? [] : [next], calls: [] };
      }
      if (mnemonic === 'jmp') {
        const targets = single ? [] : this.#targets(at);
        this.#ends.set(rip, { kind: 'indirect', targets, next: undefined });
        return { targets: targets.slice(), calls: [] };
      }
      if (mnemonic === 'call') {
        const calls = single ? [] : this.#targets(at);
        this.#ends.set(rip, { kind: 'indirect', targets: calls, next });
        return { targets: single ? [] : [next], calls: calls.slice() };
      }
      if (single) {
        this.#ends.set(rip, { kind: 'jump', to: next });
        return none;
      }
      rip = next;
    }
  }

  /** Where an indirect jump or call may go: where it went, what a table of `jmp [index * 8 + table]` or a pointer holds. */
  #targets({ rip, decoded }: GuestInstruction): number[] {
    const targets = new Set(this.source.targets(rip));
    if (!decoded.memory || decoded.base !== 16 || decoded.segment !== 0) return [...targets];
    const table = decoded.index !== 16;
    if (table && decoded.scale !== 3) return [...targets];
    const start = decoded.displacement + (decoded.ripRelative ? rip + decoded.length : 0);
    for (let i = 0; i < (table ? MAX_TABLE : 1); i++) {
      const word = this.source.word(start + i * 8);
      if (word === undefined || word < 0x1000n || word >= 1n << 47n) break;
      if (this.source.known(Number(word))) targets.add(Number(word));
      else if (Math.abs(Number(word) - rip) > FAR) break;
    }
    return [...targets];
  }

  /** Cuts the code into blocks. */
  blocks(): Map<number, Block> {
    const blocks = new Map<number, Block>();
    for (const start of this.#leaders) {
      const instructions: GuestInstruction[] = [];
      let rip = start;
      let end: End | undefined;
      while (end === undefined) {
        const at = this.#instructions.get(rip);
        end = this.#ends.get(rip);
        if (at !== undefined && end?.kind !== 'rare' && !(end?.kind === 'outside')) instructions.push(at);
        if (end !== undefined) break;
        rip += at!.decoded.length;
        if (this.#leaders.has(rip)) end = { kind: 'jump', to: rip };
      }
      blocks.set(start, { start, instructions, end: end! });
    }
    return blocks;
  }
}

/** Blocks of the function at `entry`: what is reached from there without going into calls or out by returns. */
function functionBlocks(blocks: ReadonlyMap<number, Block>, entry: number): Set<number> {
  const seen = new Set<number>();
  const work = [entry];
  for (let start = work.pop(); start !== undefined; start = work.pop()) {
    const block = blocks.get(start);
    if (block === undefined || seen.has(start)) continue;
    seen.add(start);
    work.push(...successors(block));
    if (block.end.kind === 'call') work.push(block.end.next);
  }
  return seen;
}

const successors = ({ end }: Block): number[] => {
  switch (end.kind) {
    case 'jump':
      return [end.to];
    case 'branch':
      return [end.next, end.taken];
    case 'indirect':
      return end.next === undefined ? end.targets.slice() : [end.next];
    case 'rare':
      return end.next === undefined ? [] : [end.next];
    default:
      return [];
  }
};

/** The code to translate together with the instruction at `root`, or undefined if that cannot be translated. */
export function discover(source: CodeSource, root: number, limits: Limits): Code | undefined {
  const discovery = new Discovery(source, limits);
  const wished = limits.entries ?? [];
  const own = [root];
  const callees: number[] = [];
  const called = new Set<number>();
  const done = new Set<number>();
  const explore = (list: number[]): void => {
    for (let start = list.shift(); start !== undefined; start = list.shift()) {
      if (done.has(start) || discovery.size >= limits.instructions) continue;
      if (start !== root && !source.known(start)) continue;
      if (start !== root && called.has(start) && source.translated(start) > MAX_REPEATED) continue;
      done.add(start);
      const { targets, calls } = discovery.run(start);
      own.push(...targets);
      callees.push(...calls);
      for (const callee of calls) called.add(callee);
      // The function first, then what it calls.
      if (list === callees) explore(own);
    }
  };
  explore(own);
  explore(callees);
  if (!wished.every((address) => discovery.has(address))) return undefined;
  for (const address of wished) discovery.run(address);
  const blocks = discovery.blocks();
  const first = blocks.get(root);
  if (first === undefined || first.instructions.length === 0) return undefined;

  const entries = new Set(wished.filter((address) => (blocks.get(address)?.instructions.length ?? 0) > 0));
  const functions = new Map<number, number[]>();
  for (const [start, block] of blocks) {
    const { end } = block;
    if (end.kind === 'rare' && end.next !== undefined && blocks.has(end.next)) entries.add(end.next);
    if (end.kind === 'indirect' && end.next !== undefined && blocks.has(end.next)) {
      const inside = end.targets.filter((target) => (blocks.get(target)?.instructions.length ?? 0) > 0);
      // A call that goes elsewhere comes back through the interpreter.
      if (inside.length === 0) entries.add(end.next);
      for (const target of inside) {
        const sites = functions.get(target);
        if (sites === undefined) functions.set(target, [end.next]);
        else sites.push(end.next);
      }
    }
    if (end.kind !== 'call') continue;
    const inside = !limits.single && (blocks.get(end.to)?.instructions.length ?? 0) > 0 && blocks.has(end.next);
    if (!inside) {
      if (blocks.has(end.next)) entries.add(end.next);
      continue;
    }
    blocks.set(start, { ...block, end: { ...end, inside } });
    const sites = functions.get(end.to);
    if (sites === undefined) functions.set(end.to, [end.next]);
    else sites.push(end.next);
  }
  const returns = new Map<number, number[]>();
  for (const [entry, sites] of functions) {
    for (const start of functionBlocks(blocks, entry)) {
      if (blocks.get(start)!.end.kind !== 'return') continue;
      const list = returns.get(start) ?? [];
      for (const site of sites) if (!list.includes(site) && list.length < MAX_RETURNS) list.push(site);
      returns.set(start, list);
    }
  }
  // What leaves for another region may come back from there.
  const leaves = (entry: number): boolean => {
    for (const start of functionBlocks(blocks, entry)) {
      const block = blocks.get(start)!;
      if (block.end.kind === 'indirect' && block.end.next === undefined) return true;
      const elsewhere = successors(block).filter((to) => (blocks.get(to)?.instructions.length ?? 0) === 0);
      if (elsewhere.some((to) => source.translated(to) > 0)) return true;
    }
    return false;
  };
  for (const [entry, sites] of functions) if (leaves(entry)) for (const site of sites) entries.add(site);
  entries.delete(root);
  // A place to return to that no return of the region goes to.
  const reached = new Set([...returns.values()].flat());
  for (const sites of functions.values()) for (const site of sites) if (!reached.has(site)) entries.add(site);
  entries.delete(root);
  return {
    root,
    blocks,
    entries: [...entries],
    wished,
    returns,
    pages: [...discovery.pages],
    size: discovery.size,
  };
}
