/**
 * What a region's structure needs to know: the graph of its blocks, which flags live where, order and dominance, and an
 * edge set without irreducible loops: those go through the dispatcher, node 0.
 */
import type { Block, Code } from './discover.ts';
import { type Known, NOTHING } from './emitter-exits.ts';
import { ALL_FLAGS } from './emitter-flags.ts';

/** Where control goes at the end of a block, as nodes of the graph. */
export interface Node {
  readonly number: number;
  readonly block: Block;
  readonly successors: readonly number[];
}

export interface Graph {
  /** Nodes 1 … n; index 0 is the dispatcher and has no block. */
  readonly nodes: readonly (Node | undefined)[];
  readonly numberOf: ReadonlyMap<number, number>;
  /** Nodes the dispatcher leads to, in the order of their state numbers. */
  readonly dispatched: readonly number[];
  readonly order: readonly number[];
  readonly children: readonly (readonly number[])[];
  isLoop(node: number): boolean;
  isMerge(node: number): boolean;
  /** Whether an edge must go through the dispatcher. */
  viaDispatcher(from: number, to: number): boolean;
  isBack(from: number, to: number): boolean;
}

export function successorsOf(code: Code, block: Block): number[] {
  const { end } = block;
  switch (end.kind) {
    case 'jump':
      return [end.to];
    case 'branch':
      return [end.taken, end.next];
    case 'call':
      return end.inside ? [end.to] : [];
    case 'return':
      return (code.returns.get(block.start) ?? []).slice();
    case 'indirect':
      return end.targets.slice();
    default:
      return [];
  }
}

/** Whether a block is more than the mark that the region ends there. */
export const isReal = (block: Block | undefined): block is Block =>
  block !== undefined && (block.instructions.length > 0 || block.end.kind === 'rare');

export function buildGraph(code: Code): Graph {
  const nodes: (Node | undefined)[] = [undefined];
  const numberOf = new Map<number, number>();
  for (const [start, block] of code.blocks) {
    if (!isReal(block)) continue;
    numberOf.set(start, nodes.length);
    nodes.push({ number: nodes.length, block, successors: [] });
  }
  for (let i = 1; i < nodes.length; i++) {
    const node = nodes[i]!;
    const targets = successorsOf(code, node.block)
      .map((target) => numberOf.get(target))
      .filter((n) => n !== undefined);
    nodes[i] = { ...node, successors: [...new Set(targets)] };
  }
  const dispatched = [code.root, ...code.entries]
    .map((address) => numberOf.get(address)!)
    .filter((n) => n !== undefined);
  for (;;) {
    const graph = order(nodes, numberOf, dispatched);
    const bad = graph.irreducible();
    if (bad.length === 0) return graph;
    dispatched.push(...bad);
  }
}

function order(
  nodes: readonly (Node | undefined)[],
  numberOf: ReadonlyMap<number, number>,
  dispatched: readonly number[],
): Graph & { irreducible(): number[] } {
  const entered = new Set(dispatched);
  const count = nodes.length;
  const post: number[] = [];
  const seen = new Uint8Array(count);
  const successorsAt = (n: number): readonly number[] => (n === 0 ? dispatched : nodes[n]!.successors);
  const stack: { node: number; next: number }[] = [{ node: 0, next: 0 }];
  seen[0] = 1;
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    const list = successorsAt(top.node);
    if (top.next < list.length) {
      const to = list[top.next++];
      if (seen[to] === 0) {
        seen[to] = 1;
        stack.push({ node: to, next: 0 });
      }
    } else {
      post.push(top.node);
      stack.pop();
    }
  }
  const sequence = post.reverse();
  const position = new Int32Array(count).fill(-1);
  sequence.forEach((node, i) => {
    position[node] = i;
  });
  const predecessors: number[][] = nodes.map(() => []);
  for (const node of sequence) for (const to of successorsAt(node)) predecessors[to].push(node);

  const dominator = new Int32Array(count).fill(-1);
  dominator[0] = 0;
  const meet = (x: number, y: number): number => {
    while (x !== y) {
      while (position[x] > position[y]) x = dominator[x];
      while (position[y] > position[x]) y = dominator[y];
    }
    return x;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of sequence) {
      if (node === 0) continue;
      let common = -1;
      for (const from of predecessors[node]) {
        if (dominator[from] < 0) continue;
        common = common < 0 ? from : meet(common, from);
      }
      if (common !== dominator[node]) {
        dominator[node] = common;
        changed = true;
      }
    }
  }
  const dominates = (x: number, y: number): boolean => {
    while (position[y] > position[x]) y = dominator[y];
    return x === y;
  };
  const isBack = (from: number, to: number): boolean => position[to] <= position[from];
  const viaDispatcher = (from: number, to: number): boolean =>
    from !== 0 && entered.has(to) && isBack(from, to) && !dominates(to, from);
  const children: number[][] = nodes.map(() => []);
  for (const node of sequence) if (node !== 0) children[dominator[node]].push(node);
  const loops = new Uint8Array(count);
  const forward = new Int32Array(count);
  for (const node of sequence) {
    for (const to of successorsAt(node)) {
      if (viaDispatcher(node, to)) loops[0] = 1;
      else if (isBack(node, to)) loops[to] = 1;
      else forward[to]++;
    }
  }
  return {
    nodes,
    numberOf,
    dispatched,
    order: sequence,
    children,
    isLoop: (node) => loops[node] !== 0,
    isMerge: (node) => forward[node] > 1 || (entered.has(node) && dispatched.length > 1),
    viaDispatcher,
    isBack,
    irreducible() {
      const bad = new Set<number>();
      for (const node of sequence) {
        if (node === 0) continue;
        for (const to of nodes[node]!.successors) {
          if (isBack(node, to) && !dominates(to, node) && !entered.has(to)) bad.add(to);
        }
      }
      return [...bad];
    },
  };
}

/** What an instruction does, as far as other instructions care. */
export interface Effect {
  /** Flags it reads, those it reads only to keep them where they are wanted later, those it overwrites for certain. */
  readonly read: number;
  readonly kept: number;
  readonly written: number;
  /** It may leave the region before it is executed, and then the flags before it are seen. */
  readonly bails: boolean;
  /** Registers it writes, and those of them whose upper half it clears, as masks. */
  readonly registers: number;
  readonly low: number;
  /** XMM registers it writes, as a mask; by XMM register, the shapes it is known to be regular in after it. */
  readonly vectors: number;
  readonly regular: readonly number[];
  /** It copies one XMM register to another, as a whole. */
  readonly copies: { readonly from: number; readonly to: number } | undefined;
}

/** Flags at one place: `live` are read in the region later, `wanted` are read or could be seen from outside. */
export interface FlagNeed {
  readonly live: number;
  readonly wanted: number;
}

const ALL_REGULAR = new Array<number>(16).fill(0xf);
const NONE: FlagNeed = { live: 0, wanted: 0 };
const VISIBLE: FlagNeed = { live: 0, wanted: ALL_FLAGS };

const both = (a: FlagNeed, b: FlagNeed): FlagNeed => ({ live: a.live | b.live, wanted: a.wanted | b.wanted });

/** Before an instruction, by what is needed after it. */
export function needBefore({ live, wanted }: FlagNeed, { read, kept, written, bails }: Effect): FlagNeed {
  const now = (live & ~written) | read | (kept & wanted);
  return { live: now, wanted: bails ? ALL_FLAGS : (wanted & ~written) | now };
}

/** By node: flags that are needed at its start. */
export function neededFlags(
  code: Code,
  graph: Graph,
  effectOf: (index: number, block: Block) => Effect,
): readonly FlagNeed[] {
  const needs: FlagNeed[] = graph.nodes.map(() => NONE);
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = graph.order.length - 1; i >= 0; i--) {
      const number = graph.order[i];
      const node = graph.nodes[number];
      if (node === undefined) continue;
      let now = needAfter(code, graph, node, needs);
      for (let k = node.block.instructions.length - 1; k >= 0; k--) now = needBefore(now, effectOf(k, node.block));
      if (now.live !== needs[number].live || now.wanted !== needs[number].wanted) {
        needs[number] = now;
        changed = true;
      }
    }
  }
  return needs;
}

/** Flags that are needed after a block. */
export function needAfter(code: Code, graph: Graph, { number, block }: Node, needs: readonly FlagNeed[]): FlagNeed {
  let need = isLeaving(block) ? VISIBLE : NONE;
  for (const target of successorsOf(code, block)) {
    const to = graph.numberOf.get(target);
    need = both(need, to === undefined ? VISIBLE : needOn(graph, number, to, needs));
  }
  return need;
}

/** Flags that are needed on an edge: where a loop goes back the budget may end, and all can be seen. */
export const needOn = (graph: Graph, from: number, to: number, needs: readonly FlagNeed[]): FlagNeed =>
  graph.isBack(from, to) ? both(needs[to], VISIBLE) : needs[to];

const isLeaving = ({ end }: Block): boolean =>
  end.kind === 'rare' ||
  end.kind === 'outside' ||
  end.kind === 'indirect' ||
  end.kind === 'return' ||
  (end.kind === 'call' && !end.inside);

/** By node: what is known of the registers whenever its start is reached. */
export function knownRegisters(graph: Graph, effectOf: (index: number, block: Block) => Effect): readonly Known[] {
  const known: { low: number; regular: number[] }[] = graph.nodes.map(() => ({ low: 0xffff, regular: ALL_REGULAR }));
  for (const node of graph.dispatched) known[node] = { low: 0, regular: NOTHING.regular.slice() };
  for (let changed = true; changed; ) {
    changed = false;
    for (const number of graph.order) {
      const node = graph.nodes[number];
      if (node === undefined) continue;
      let { low } = known[number];
      const regular = known[number].regular.slice();
      for (let k = 0; k < node.block.instructions.length; k++) {
        const effect = effectOf(k, node.block);
        low = (low & ~effect.registers) | effect.low;
        const { copies } = effect;
        const copied = copies && regular[copies.from];
        for (let i = 0; i < 16; i++) {
          if (((effect.vectors >> i) & 1) !== 0) regular[i] = 0;
          regular[i] |= effect.regular[i];
        }
        if (copies !== undefined) regular[copies.to] = copied!;
      }
      for (const to of node.successors) {
        const before = known[to];
        const met = before.low & low;
        const shapes = before.regular.map((shape, i) => shape & regular[i]);
        if (met === before.low && shapes.every((shape, i) => shape === before.regular[i])) continue;
        known[to] = { low: met, regular: shapes };
        changed = true;
      }
    }
  }
  return known;
}
