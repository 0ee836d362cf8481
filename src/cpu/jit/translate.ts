/**
 * Translates a region's code to WebAssembly: one function `(record, horizon, entry) → exit code` and, for each entry, a
 * handler that the interpreter's records can point to. Control is structured by dominance (N. Ramsey, "Beyond
 * Relooper"): loops become loops, other places where ways meet become ends of blocks; the dispatcher serves entries and
 * what is not reducible.
 *
 * Entry point: `translate`. Code is emitted twice: the first pass learns which registers and pages it uses.
 */

import { SHAPES } from '../decode/table.ts';
import { intern, type LinkableBody, SymbolicBody } from '../interpreter/body.ts';
import { define } from '../interpreter/library.ts';
import { HANDLER_TYPE, linkModule } from '../interpreter/link.ts';
import { buildGraph, type FlagEffect, type Graph, isReal, liveAfter, liveFlags } from './analysis.ts';
import type { Block, Code, GuestInstruction } from './discover.ts';
import { Emitter, GO, INTERPRET } from './emitter.ts';
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
  readonly bytes: number;
}

export const entryName = (i: number): string => `entry.${i}`;
const REGION = 'region';
/** In the engine's part of the state block: a word for each indirect jump. */
const TARGET_CELLS = 0x1_0000;
const CELLS = 4096;
let nextCell = 0;

const EFFECTS = new Map<string, FlagEffect | undefined>();
const MAX_EFFECTS = 50_000;
let prober: Emitter | undefined;

/** Whether the translator can do an instruction, and which flags it touches. */
export function probe(at: GuestInstruction): FlagEffect | undefined {
  const key = String.fromCharCode(...at.bytes);
  if (EFFECTS.has(key)) return EFFECTS.get(key);
  if (EFFECTS.size > MAX_EFFECTS) EFFECTS.clear();
  const effect = probeAnew(at);
  EFFECTS.set(key, effect);
  return effect;
}

function probeAnew(at: GuestInstruction): FlagEffect | undefined {
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
    emitter.instruction(at, 0, ALL_FLAGS);
  } catch (error) {
    prober = undefined;
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
  if (emitter.transfer?.kind === 'indirect' && !/^(jmp|call|ret)$/.test(mnemonic)) return undefined;
  return { read: emitter.flagsRead, written: emitter.flagsWritten, bails: emitter.bails };
}

class RegionEmitter {
  readonly e: Emitter;

  constructor(
    private readonly code: Code,
    private readonly graph: Graph,
    private readonly live: readonly number[],
    private readonly liveIn: ReadonlyMap<Block, readonly number[]>,
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
      e.startBlock();
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
    const live = this.liveIn.get(block)!;
    for (let i = 0; i < lifted; i++) e.instruction(instructions[i], i, live[i]);
    const count = instructions.length;
    switch (end.kind) {
      case 'jump':
        e.retire(count);
        this.#branch(number, end.to);
        break;
      case 'branch': {
        const { constant } = e.transfer!.value!;
        e.retire(count);
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
        e.retire(count);
        if (end.inside) this.#branch(number, end.to);
        else e.exit(end.to);
        break;
      case 'return':
        e.returnInstruction(instructions[lifted], lifted, this.code.returns.get(block.start) ?? [], (site) =>
          this.#branch(number, site),
        );
        break;
      case 'indirect': {
        e.retire(count);
        this.#select(
          number,
          end.targets.slice().sort((a, b) => a - b),
        );
        e.exitIndirect(this.cellOf(instructions.at(-1)!.rip));
        break;
      }
      case 'rare':
        e.retire(count);
        e.interpret(end.at);
        break;
      case 'outside':
        e.retire(count);
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
      if (this.live[number] !== 0) e.computeFlags();
      e.startBlock();
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
    if (this.live[to] !== 0) e.computeFlags();
    if (back) {
      e.f.get(e.left).i32(0).op('i32.le_s');
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

/**
 * Flags live after each instruction of each block. Inside a block they are kept for faults too: what an instruction that
 * may fault overwrites nobody reads otherwise. Between blocks they are not: at a fault, flags that were set in an
 * earlier block and that the program cannot read any more may be old.
 */
function liveness(code: Code, graph: Graph, effects: (at: GuestInstruction) => FlagEffect) {
  const effectOf = (index: number, block: Block): FlagEffect => effects(block.instructions[index]);
  const live = liveFlags(code, graph, effectOf);
  const inside = new Map<Block, number[]>();
  for (const block of code.blocks.values()) {
    if (!isReal(block)) continue;
    let now = liveAfter(code, graph, block, live);
    const list: number[] = [];
    for (let k = block.instructions.length - 1; k >= 0; k--) {
      list[k] = now;
      const { read, written, bails } = effects(block.instructions[k]);
      now = bails ? ALL_FLAGS : (now & ~written) | read;
    }
    inside.set(block, list);
  }
  return { live, inside };
}

/** Translates and compiles. */
export function translate(code: Code): Translation {
  const effects = (at: GuestInstruction): FlagEffect => probe(at) ?? { read: ALL_FLAGS, written: 0, bails: true };
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
  const { live, inside } = liveness(code, graph, effects);
  const first = new RegionEmitter(code, graph, live, inside, undefined, cellOf);
  first.emit();
  const second = new RegionEmitter(code, graph, live, inside, first.e.seen, cellOf);
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
  return { code, module: new WebAssembly.Module(bytes), imports, entries, sites, bytes: bytes.length };
}
