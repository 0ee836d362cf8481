/**
 * Random programs: functions of straight pieces, branches, loops (nested, entered in the middle, counted up and down, walking
 * through memory), direct and indirect calls, recursion, jump tables, code that changes itself, and now and then a fault in
 * the middle. Every program ends: loops and recursion count in registers that nothing else writes, calls go to later
 * functions only, and the expected number of instructions is bounded.
 *
 * A program is a tree; `assemble` makes bytes of it, without the nodes in `dropped`, so that one that fails can be made
 * smaller. Entry points: `randomProgram`, `assemble`.
 */
import type { Random } from '../random.ts';
import { Assembler, type Label, modrm } from './assembler.ts';
import { condition, define, operation, RCX, type Style } from './operations.ts';

const RBX = 3;
const R12 = 12;
const R13 = 13;
const R14 = 14;
const R15 = 15;

type Node = { readonly id: number } & (
  | { readonly kind: 'piece'; readonly bytes: readonly number[] }
  | {
      readonly kind: 'if';
      readonly before: readonly number[];
      readonly condition: number;
      readonly held: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | {
      readonly kind: 'loop';
      readonly counter: number;
      readonly count: number;
      readonly shape: 'down' | 'up' | 'top' | 'middle';
      /** Bytes that R15 advances each time; 0 for none. */
      readonly step: number;
      readonly first: readonly Node[];
      readonly body: readonly Node[];
    }
  | { readonly kind: 'call'; readonly callee: number; readonly how: 'direct' | 'register' | 'table' | 'return' }
  | { readonly kind: 'recurse'; readonly callee: number; readonly depth: number }
  | {
      readonly kind: 'switch';
      readonly index: number;
      readonly byReturn: boolean;
      readonly cases: readonly (readonly Node[])[];
    }
  /** Writes the immediate operand of an instruction that follows, at once or in the next round. */
  | { readonly kind: 'patch'; readonly source: number; readonly target: number; readonly late: boolean }
  /** Raises a fault when the loop counter has this value. */
  | { readonly kind: 'trap'; readonly at: number; readonly bytes: readonly number[] }
);

interface Fn {
  readonly body: readonly Node[];
  /** Calls itself while R13 lasts. */
  readonly recursive: boolean;
}

export interface Program {
  readonly functions: readonly Fn[];
  readonly style: Style;
  readonly changesItself: boolean;
  /** All bytes at the end are a comparison's: every flag is defined. */
  readonly ending: readonly number[];
  readonly nodes: number;
}

/** Instructions that a program is expected to execute at most. */
const COST = 6000;
const MAX_NODES = 90;

class Generator {
  id = 0;
  readonly #costs: number[] = [];

  constructor(
    private readonly random: Random,
    private readonly style: Style,
    private readonly faulty: boolean,
    readonly changesItself: boolean,
  ) {}

  /** `cost`: of one execution, so far; `room`: what one execution may cost. */
  #sequence(
    length: number,
    depth: number,
    callees: number,
    room: number,
    loops: number,
  ): { nodes: Node[]; cost: number } {
    const nodes: Node[] = [];
    let cost = 0;
    const add = (node: { node: Node; cost: number }): void => {
      nodes.push(node.node);
      cost += node.cost;
    };
    for (let i = 0; i < length && this.id < MAX_NODES; i++) {
      const choice = this.random.below(100);
      const left = room - cost;
      if (left < 8) break;
      if (choice < 12 && depth < 4) add(this.#branch(depth, callees, left, loops));
      else if (choice < 22 && loops < 2 && left > 40) add(this.#loop(depth, callees, left, loops));
      else if (choice < 30 && callees < this.#costs.length) {
        const node = this.#call(callees, left);
        if (node !== undefined) add(node);
      } else if (choice < 33 && depth < 3) add(this.#switch(depth, callees, left, loops));
      else if (choice < 35 && this.changesItself) {
        const { random } = this;
        const source = random.pick([0, 2, 6, 8, 9]);
        add({
          node: { id: this.id++, kind: 'patch', source, target: random.pick([0, 2, 7, 10]), late: random.chance(50) },
          cost: 2,
        });
      } else if (choice < 38 && this.faulty && loops > 0) add({ node: this.#trap(loops), cost: 3 });
      else add({ node: { id: this.id++, kind: 'piece', bytes: operation(this.random, this.style) }, cost: 2 });
    }
    return { nodes, cost };
  }

  #branch(depth: number, callees: number, room: number, loops: number): { node: Node; cost: number } {
    const { random } = this;
    const id = this.id++;
    const { before, code } = condition(random, this.style);
    const held = this.#sequence(1 + random.below(4), depth + 1, callees, room - 2, loops);
    const otherwise = random.chance(50)
      ? this.#sequence(1 + random.below(3), depth + 1, callees, room - 2, loops)
      : { nodes: [], cost: 0 };
    return {
      node: { id, kind: 'if', before, condition: code, held: held.nodes, otherwise: otherwise.nodes },
      cost: 2 + Math.max(held.cost, otherwise.cost),
    };
  }

  #loop(depth: number, callees: number, room: number, loops: number): { node: Node; cost: number } {
    const { random } = this;
    const id = this.id++;
    const count = 2 + random.below(Math.min(loops === 0 ? 60 : 14, Math.max(2, room >> 4)));
    const each = Math.floor((room - 10) / count) - 4;
    const shape = random.pick(['down', 'up', 'top', 'middle'] as const);
    const first =
      shape === 'middle' ? this.#sequence(2, depth + 1, callees, each >> 1, loops + 1) : { nodes: [], cost: 0 };
    const body = this.#sequence(1 + random.below(8), depth + 1, callees, each - first.cost, loops + 1);
    const counter = loops === 0 ? RBX : R12;
    const step = random.chance(50)
      ? 0
      : this.faulty && random.chance(40)
        ? random.pick([64, 256])
        : random.pick([1, 4, 8]);
    return {
      node: { id, kind: 'loop', counter, count, shape, step, first: first.nodes, body: body.nodes },
      cost: 10 + count * (first.cost + body.cost + 4),
    };
  }

  #call(callees: number, room: number): { node: Node; cost: number } | undefined {
    const { random } = this;
    const callee = callees + random.below(this.#costs.length - callees);
    const cost = this.#costs[callee];
    if (cost < 0) {
      const depth = 1 + random.below(9);
      if (-cost * depth + 6 > room) return undefined;
      return { node: { id: this.id++, kind: 'recurse', callee, depth }, cost: 6 - cost * depth };
    }
    if (cost + 4 > room) return undefined;
    const how = random.pick(['direct', 'direct', 'direct', 'register', 'table', 'return'] as const);
    return { node: { id: this.id++, kind: 'call', callee, how }, cost: cost + 4 };
  }

  #switch(depth: number, callees: number, room: number, loops: number): { node: Node; cost: number } {
    const { random } = this;
    const id = this.id++;
    const cases = Array.from({ length: random.chance(50) ? 4 : 8 }, () =>
      this.#sequence(1 + random.below(2), depth + 1, callees, room - 6, loops),
    );
    return {
      node: {
        id,
        kind: 'switch',
        index: random.pick([0, 1, 6, 9]),
        byReturn: random.chance(15),
        cases: cases.map(({ nodes }) => nodes),
      },
      cost: 6 + Math.max(...cases.map(({ cost }) => cost)),
    };
  }

  #trap(loops: number): Node {
    const { random } = this;
    const far = { base: R14, index: -1, scale: 0, displacement: random.pick([0x2000, 0x2ff8, 0x4010, 0x1ff9]) };
    const bytes = random.pick([
      () => [0x0f, 0x0b],
      () => [0xcc],
      () => [0x31, 0xd2, 0x31, 0xc9, 0xf7, 0xf1],
      () => modrm([0x8b], 0, far, { wide: true }),
      () => modrm([0x01], 0, far, { wide: true }),
      () => modrm([0x0f, 0x29], 1, { ...far, displacement: 4 }),
      () => modrm([0x0f, 0x11], 1, far),
      () => modrm([0xff], 6, { ...far, displacement: 0x2000 }),
      // A stack that is absent.
      () => [0x4c, 0x89, 0xf4, 0x48, 0x81, 0xc4, 0, 0x30, 0, 0, 0x50],
      // A jump to nowhere.
      () => [0xb8, 0, 0, 0, 0x20, 0xff, 0xe0],
    ])();
    return { id: this.id++, kind: 'trap', at: (loops === 1 ? 0 : 1 << 8) | (1 + random.below(12)), bytes };
  }

  /** Functions, the first of which is the program; later ones are generated first, for their costs. */
  functions(): Fn[] {
    const { random } = this;
    const count = 1 + random.below(5);
    const functions: Fn[] = [];
    for (let i = count - 1; i > 0; i--) {
      const recursive = random.chance(25);
      this.#costs.splice(0, 0, 0);
      // Indices of callees count from the last function: shifted below.
      const { nodes, cost } = this.#sequence(2 + random.below(8), 1, 1, recursive ? 60 : 300, 1);
      this.#costs[0] = recursive ? -(cost + 8) : cost + 2;
      functions.unshift({ body: nodes, recursive });
    }
    this.#costs.splice(0, 0, 0);
    const { nodes } = this.#sequence(4 + random.below(12), 0, 1, COST, 0);
    return [{ body: nodes, recursive: false }, ...functions];
  }
}

export function randomProgram(random: Random): Program {
  const style: Style = {
    looseAuxiliary: random.chance(70),
    looseOverflow: random.chance(50),
    vectors: random.chance(50),
    x87: random.chance(15),
  };
  const generator = new Generator(random, style, random.chance(20), random.chance(15));
  const functions = generator.functions();
  return {
    functions,
    style,
    changesItself: generator.changesItself,
    ending: random.chance(50) ? define(random) : [],
    nodes: generator.id,
  };
}

/** Writes a program to a place. Its end is the end of the bytes. */
export function assemble(program: Program, base: number, dropped: ReadonlySet<number> = new Set()): Uint8Array {
  const a = new Assembler(base);
  const entries = program.functions.map(() => a.label());
  const end = a.label();
  const tables: (() => void)[] = [];

  const move = (register: number, value: number): void => {
    a.bytes(...(register > 7 ? [0x41] : []), 0xb8 | (register & 7), value, value >> 8, value >> 16, value >> 24);
  };
  const push = (register: number): void => {
    a.bytes(...(register > 7 ? [0x41] : []), 0x50 | (register & 7));
  };
  const pop = (register: number): void => {
    a.bytes(...(register > 7 ? [0x41] : []), 0x58 | (register & 7));
  };
  const align = (): void => {
    while (a.code.length % 8 !== 0) a.bytes(0x90);
  };
  const table = (labels: readonly Label[]): Label => {
    const start = a.label();
    tables.push(() => {
      align();
      a.place(start);
      for (const label of labels) a.reference(label, 'abs64');
    });
    return start;
  };

  const emit = (fn: number, nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (dropped.has(node.id)) continue;
      emitNode(fn, node);
    }
  };

  const emitNode = (fn: number, node: Node): void => {
    switch (node.kind) {
      case 'piece':
        a.bytes(...node.bytes);
        break;
      case 'if': {
        const skip = a.label();
        const over = a.label();
        a.bytes(...node.before).branch(node.condition, skip);
        emit(fn, node.held);
        if (node.otherwise.length > 0) a.jump(over);
        a.place(skip);
        emit(fn, node.otherwise);
        a.place(over);
        break;
      }
      case 'loop':
        emitLoop(fn, node);
        break;
      case 'call': {
        const callee = entries[fn + node.callee];
        if (node.how === 'direct') a.call(callee);
        else if (node.how === 'table') a.bytes(0xff, 0x14, 0x25).reference(table([callee, callee]), 'abs32');
        else if (node.how === 'register') a.bytes(0xb8).reference(callee, 'abs32').bytes(0xff, 0xd0);
        else {
          // PUSH the address to return to, PUSH the callee's, RET.
          const back = a.label();
          a.bytes(0x68).reference(back, 'abs32').bytes(0x68).reference(callee, 'abs32').bytes(0xc3);
          a.place(back);
        }
        break;
      }
      case 'recurse':
        push(R13);
        move(R13, node.depth);
        a.call(entries[fn + node.callee]);
        pop(R13);
        break;
      case 'switch': {
        const labels = node.cases.map(() => a.label());
        const over = a.label();
        // MOV EDX, index; AND EDX, n − 1; JMP [RDX * 8 + table]
        a.bytes(...modrm([0x8b], 2, node.index), 0x83, 0xe2, node.cases.length - 1);
        if (!program.style.looseAuxiliary) a.bytes(0x83, 0xfa, 3);
        if (node.byReturn) a.bytes(0xff, 0x34, 0xd5).reference(table(labels), 'abs32').bytes(0xc3);
        else a.bytes(0xff, 0x24, 0xd5).reference(table(labels), 'abs32');
        node.cases.forEach((nodes, i) => {
          a.place(labels[i]);
          emit(fn, nodes);
          a.jump(over);
        });
        a.place(over);
        break;
      }
      case 'patch': {
        // MOV [label], source (32 bits); … MOV target, imm32 at the label.
        const at = a.label();
        const store = (): void => {
          a.bytes(...modrm([0x89], node.source, 4).slice(0, -1), 0x04 | ((node.source & 7) << 3), 0x25);
          a.reference(at, 'abs32');
        };
        if (!node.late) store();
        a.bytes(...(node.target > 7 ? [0x41] : []), 0xb8 | (node.target & 7));
        a.place(at);
        a.bytes(1, 2, 3, 4);
        if (node.late) store();
        break;
      }
      case 'trap': {
        const over = a.label();
        // CMP counter, value; JNE
        a.bytes(...modrm([0x83], 7, node.at >> 8 === 0 ? RBX : R12), node.at & 255).branch(5, over);
        a.bytes(...node.bytes);
        a.place(over);
      }
    }
  };

  const emitLoop = (fn: number, node: Node & { kind: 'loop' }): void => {
    const { counter, count, shape, step } = node;
    const head = a.label();
    const middle = a.label();
    const out = a.label();
    push(counter);
    if (step > 0) {
      push(R15);
      // LEA R15, [R14 - 400]; with long steps just before a page that is absent.
      const displacement = step < 64 ? -400 : 0x2000 - 16 * step;
      a.bytes(...modrm([0x8d], R15, { base: R14, index: -1, scale: 0, displacement }, { wide: true }));
    }
    move(counter, shape === 'up' ? 0 : count);
    if (shape === 'middle') a.jump(middle);
    a.place(head);
    if (shape === 'top') {
      // TEST counter, counter; JZ out
      a.bytes(...modrm([0x85], counter, counter)).branch(4, out);
    }
    emit(fn, node.first);
    a.place(middle);
    emit(fn, node.body);
    if (step > 0)
      a.bytes(...modrm([0x8d], R15, { base: R15, index: -1, scale: 0, displacement: step }, { wide: true }));
    if (shape === 'up') {
      // INC counter; CMP counter, count; JB head
      a.bytes(...modrm([0xff], 0, counter), ...modrm([0x83], 7, counter), count).branch(2, head);
    } else {
      // DEC counter; JNZ head, or JMP head
      a.bytes(...modrm([0xff], 1, counter));
      if (shape === 'top') a.jump(head);
      else a.branch(5, head);
    }
    a.place(out);
    if (shape === 'top' && !program.style.looseAuxiliary) a.bytes(...modrm([0x83], 7, counter), 0);
    if (step > 0) pop(R15);
    pop(counter);
  };

  program.functions.forEach(({ body, recursive }, fn) => {
    a.place(entries[fn]);
    if (fn === 0) {
      emit(fn, body);
      a.bytes(...program.ending).jump(end);
      return;
    }
    if (recursive) {
      const out = a.label();
      // DEC R13D; JLE out; half of the body; CALL itself; the other half.
      a.bytes(...modrm([0xff], 1, R13)).branch(14, out);
      emit(fn, body.slice(0, body.length >> 1));
      push(RCX);
      a.call(entries[fn]);
      pop(RCX);
      emit(fn, body.slice(body.length >> 1));
      a.place(out);
    } else emit(fn, body);
    a.bytes(0xc3);
  });
  for (const write of tables) write();
  a.place(end);
  return a.finish();
}
