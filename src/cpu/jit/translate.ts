/**
 * Translates a region's code to WebAssembly: one function `(record, horizon, entry) → exit code` and, for each entry, a
 * handler that the interpreter's records can point to. Control is structured by dominance (N. Ramsey, "Beyond
 * Relooper"): loops become loops, other places where ways meet become ends of blocks; the dispatcher serves entries and
 * what is not reducible.
 *
 * Entry point: `translate`. Code is emitted twice: the first pass learns which registers and pages it uses.
 */

import { Place } from '../decode/operands.ts';
import { SHAPES } from '../decode/table.ts';
import { intern, type LinkableBody, SymbolicBody } from '../interpreter/body.ts';
import { define } from '../interpreter/library.ts';
import { HANDLER_TYPE, linkModule } from '../interpreter/link.ts';
import {
  buildGraph,
  type Effect,
  type FlagNeed,
  type Graph,
  knownRegisters,
  needAfter,
  needBefore,
  neededFlags,
  needOn,
} from './analysis.ts';
import type { Block, Code, GuestInstruction } from './discover.ts';
import { Emitter } from './emitter.ts';
import { GO, INTERPRET, type Known, NOTHING } from './emitter-exits.ts';
import { ALL_FLAGS } from './emitter-flags.ts';
import type { RegionUse } from './emitter-registers.ts';
import { Unsupported } from './emitter-values.ts';
import { RUNTIME_IMPORTS } from './runtime.ts';

export interface Translation {
  readonly code: Code;
  readonly module: WebAssembly.Module;
  /** Names of what it imports. */
  readonly imports: readonly string[];
  /** Guest addresses of its entries; the module exports `entryName(i)` for each. */
  readonly entries: readonly number[];
  /** Where it notes the targets of its indirect jumps and calls that it did not foresee. */
  readonly sites: readonly { readonly rip: number; readonly cell: number }[];
  /** The module as bytes. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** Where in the region's body the code of each guest instruction begins: offset and address in turn. */
  readonly marks: readonly number[];
}

export const entryName = (i: number): string => `entry.${i}`;
const REGION = 'region';
/** In the engine's part of the state block: a word for each indirect jump. */
const TARGET_CELLS = 0x1_0000;
const CELLS = 4096;
let nextCell = 0;

const EFFECTS = new Map<string, Effect | undefined>();
const MAX_EFFECTS = 50_000;
let prober: Emitter | undefined;

/** Whether the translator can do an instruction, and which flags it touches. */
export function probe(at: GuestInstruction): Effect | undefined {
  const key = String.fromCharCode(...at.bytes);
  if (EFFECTS.has(key)) return EFFECTS.get(key);
  if (EFFECTS.size > MAX_EFFECTS) EFFECTS.clear();
  const effect = probeAnew(at);
  EFFECTS.set(key, effect);
  return effect;
}

function probeAnew(at: GuestInstruction): Effect | undefined {
  const { mnemonic } = SHAPES[at.decoded.form].form;
  // What it stored before a fault would be seen.
  if (mnemonic === 'enter') return undefined;
  if (prober === undefined) {
    prober = new Emitter(undefined);
    prober.open('block', INTERPRET);
  }
  const emitter = prober;
  emitter.reset();
  try {
    emitter.instruction(at);
  } catch (error) {
    prober = undefined;
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
  if (emitter.transfer?.kind === 'indirect' && !/^(jmp|call|ret)$/.test(mnemonic)) return undefined;
  const registers = [...emitter.seen.written].reduce((mask, register) => mask | (1 << register), 0);
  return {
    read: emitter.flagsRead,
    kept: emitter.flagsKept,
    written: emitter.flagsWritten,
    bails: emitter.bails,
    registers,
    low: registers & emitter.lowRegisters,
    vectors: [...emitter.seen.vectorsWritten].reduce((mask, register) => mask | (1 << register), 0),
    regular: emitter.regularRegisters,
    copies: copyOf(at),
  };
}

/** What the analyses found: at the start of each node, and after each instruction of it. */
interface Facts {
  readonly needs: readonly FlagNeed[];
  readonly needsAfter: readonly (readonly FlagNeed[])[];
  readonly known: readonly Known[];
}

const sorted = (addresses: readonly number[]): number[] => addresses.slice().sort((a, b) => a - b);

/** MOVAPS and its like between registers. */
function copyOf({ decoded }: GuestInstruction): Effect['copies'] {
  const { form, operands } = SHAPES[decoded.form];
  if (decoded.memory || !/^(mova|movu|movdq[au])/.test(form.mnemonic)) return undefined;
  const number = (index: number): number => (operands[index].place === Place.Rm ? decoded.rm : decoded.reg);
  return { from: number(1), to: number(0) };
}

class RegionEmitter {
  readonly e: Emitter;
  /** Where the code of each guest instruction begins: offset and address in turn. */
  readonly marks: number[] = [];

  constructor(
    private readonly code: Code,
    private readonly graph: Graph,
    private readonly facts: Facts,
    use: RegionUse | undefined,
    private readonly cellOf: (rip: number) => number,
  ) {
    this.e = new Emitter(use);
  }

  emit(): void {
    const { e } = this;
    e.open('block', GO);
    e.open('block', INTERPRET);
    e.enter();
    e.f.get(2).set(e.entryState);
    this.#tree(0);
    e.f.op('unreachable');
    e.close();
    e.leave();
    e.f.get(e.exitRip).get(e.left).get(e.exitHandler).returnCall(intern('jit.interpret'));
    e.close();
    e.leave();
    e.f.get(e.exitRip).get(e.left).returnCall(intern('jit.go'));
  }

  #tree(number: number): void {
    const { e, graph } = this;
    const loop = graph.isLoop(number);
    if (loop) e.open('loop', `L${number}`);
    // Children are in reverse postorder.
    const merges = graph.children[number].filter((child) => graph.isMerge(child));
    for (const child of merges.slice().reverse()) e.open('block', `B${child}`);
    this.#node(number);
    for (const child of merges) {
      e.close();
      e.startBlock(this.facts.known[child]);
      this.#tree(child);
    }
    if (loop) e.close();
  }

  #node(number: number): void {
    const { e, graph } = this;
    const node = graph.nodes[number];
    if (node === undefined) {
      if (graph.dispatched.length === 1) {
        this.#enter(graph.dispatched[0]);
        return;
      }
      const depths = graph.dispatched.map((child) => e.depthOf(`B${child}`));
      e.f.get(e.entryState).brTable(depths, depths[0]);
      return;
    }
    const { block } = node;
    const { instructions, end } = block;
    const lifted = end.kind === 'return' ? instructions.length - 1 : instructions.length;
    const needs = this.facts.needsAfter[number];
    for (let i = 0; i < instructions.length; i++) {
      this.marks.push(e.f.code.length, instructions[i].rip);
      if (i === lifted) break;
      e.instruction(instructions[i], needs[i].live, needs[i].wanted);
      e.retire();
    }
    switch (end.kind) {
      case 'jump':
        this.#branch(number, end.to);
        break;
      case 'branch': {
        const { constant } = e.transfer!.value!;
        if (constant !== undefined) {
          this.#branch(number, constant !== 0n ? end.taken : end.next);
          break;
        }
        e.push(e.transfer!.value!);
        const restore = e.snapshot();
        e.open('if');
        this.#branch(number, end.taken);
        e.f.else();
        restore();
        this.#branch(number, end.next);
        e.close();
        break;
      }
      case 'call':
        if (end.inside) this.#branch(number, end.to);
        else e.exit(end.to);
        break;
      case 'return':
        e.returnInstruction(instructions[lifted], () => {
          this.#select(number, sorted(this.code.returns.get(block.start) ?? []));
        });
        break;
      case 'indirect':
        this.#select(number, sorted(end.targets));
        e.exitIndirect(this.cellOf(instructions.at(-1)!.rip));
        break;
      case 'rare':
        e.interpret(end.at);
        break;
      case 'outside':
        e.exit(end.to);
    }
  }

  /** Goes to the one of these blocks whose address is in `target`; falls through if it is none. */
  #select(from: number, targets: readonly number[]): void {
    const { e } = this;
    if (targets.length > 3) {
      const middle = targets.length >> 1;
      const restore = e.snapshot();
      e.f.get(e.target).i64(targets[middle]).op('i64.lt_u');
      e.open('if');
      this.#select(from, targets.slice(0, middle));
      e.f.else();
      restore();
      this.#select(from, targets.slice(middle));
      e.close();
      restore();
      return;
    }
    for (const target of targets) {
      const restore = e.snapshot();
      e.f.get(e.target).i64(target).op('i64.eq');
      e.open('if');
      this.#branch(from, target);
      e.close();
      restore();
    }
  }

  /** Continues with a block that is reached from here only. */
  #enter(number: number): void {
    const { e, graph } = this;
    if (graph.isLoop(number)) {
      const { live, wanted } = this.facts.needs[number];
      e.settleFlags(live, wanted);
      e.settleBudget();
      e.startBlock(this.facts.known[number]);
    }
    this.#tree(number);
  }

  #branch(from: number, address: number): void {
    const { e, graph } = this;
    const to = graph.numberOf.get(address);
    if (to === undefined) {
      e.exit(address);
      return;
    }
    const back = graph.isBack(from, to);
    const dispatched = graph.viaDispatcher(from, to);
    if (!back && !graph.isMerge(to)) {
      this.#enter(to);
      return;
    }
    const { live, wanted } = needOn(graph, from, to, this.facts.needs);
    e.settleFlags(live, wanted);
    e.settleBudget();
    if (back) {
      e.f.get(e.left).i32(0).op('i32.le_s').rarely();
      e.open('if');
      e.exit(address);
      e.close();
    }
    if (dispatched) {
      e.f.i32(graph.dispatched.indexOf(to)).set(e.entryState);
      e.f.br(e.depthOf('L0'));
    } else e.f.br(e.depthOf(back ? `L${to}` : `B${to}`));
  }
}

const UNKNOWN: Effect = {
  read: ALL_FLAGS,
  kept: 0,
  written: 0,
  bails: true,
  registers: 0xffff,
  low: 0,
  vectors: 0xffff,
  regular: NOTHING.regular,
  copies: undefined,
};

function analyse(code: Code, graph: Graph): Facts {
  const effectOf = (index: number, block: Block): Effect => probe(block.instructions[index]) ?? UNKNOWN;
  const needs = neededFlags(code, graph, effectOf);
  const needsAfter = graph.nodes.map((node) => {
    if (node === undefined) return [];
    const list: FlagNeed[] = [];
    let now = needAfter(code, graph, node, needs);
    for (let k = node.block.instructions.length - 1; k >= 0; k--) {
      list[k] = now;
      now = needBefore(now, effectOf(k, node.block));
    }
    return list;
  });
  return { needs, needsAfter, known: knownRegisters(graph, effectOf) };
}

/** Translates and compiles. */
export function translate(code: Code): Translation {
  const sites: { rip: number; cell: number }[] = [];
  const cellOf = (rip: number): number => {
    let site = sites.find((other) => other.rip === rip);
    if (site === undefined) {
      site = { rip, cell: TARGET_CELLS + (nextCell++ % CELLS) * 8 };
      sites.push(site);
    }
    return site.cell;
  };
  const graph = buildGraph(code);
  const facts = analyse(code, graph);
  const first = new RegionEmitter(code, graph, facts, undefined, cellOf);
  first.emit();
  const second = new RegionEmitter(code, graph, facts, first.e.seen, cellOf);
  second.emit();
  // Entries that only the structure needs are no entries for others.
  const entries = [code.root, ...code.entries];
  const bodies = new Map<string, LinkableBody>([[REGION, second.e.f.link()]]);
  entries.forEach((_address, i) => {
    const stub = new SymbolicBody(HANDLER_TYPE.params, HANDLER_TYPE.results);
    stub.get(0).get(1).i32(i).returnCall(intern(REGION));
    bodies.set(entryName(i), stub.link());
  });
  const { bytes, imports } = linkModule(
    0,
    [],
    entries.map((_address, i) => entryName(i)),
    (name) => {
      const body = bodies.get(name);
      if (body !== undefined) return { body };
      const imported = RUNTIME_IMPORTS.get(name);
      return imported !== undefined ? { imported } : define(name);
    },
    intern,
    false,
  );
  return { code, module: new WebAssembly.Module(bytes), imports, entries, sites, wasm: bytes, marks: second.marks };
}
