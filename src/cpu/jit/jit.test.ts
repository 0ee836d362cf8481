/** Translated code where it meets the rest: faults, changing code, budgets, deep recursion; and random programs on both engines. */
import { expect, test } from 'vitest';
import { Trap } from '../engine.ts';
import { type BareWindow, bareWindow } from '../interpreter/bare-window.ts';
import { at, MXCSR, RETIRED, TRAP_ADDRESS } from '../state.ts';
import { jitTier } from './tier.ts';

const CODE = 0x40_0000;
const DATA = 0x50_0000;
const STACK_TOP = 0x700_0000;

const setUp = (): BareWindow => {
  const w = bareWindow(jitTier({ hot: 2 }));
  w.protect(CODE, 0x4000, 'rx');
  w.protect(DATA, 0x4000, 'rw');
  w.protect(STACK_TOP - 0x400_0000, 0x400_0000, 'rw');
  w.cpu.setGpr(4, BigInt(STACK_TOP - 8));
  return w;
};

const hex = (text: string): number[] => text.split(/\s+/).map((byte) => Number.parseInt(byte, 16));

/** Runs until something other than a spent budget happens. */
const finish = (w: BareWindow, address: number): Trap => {
  let trap = w.start(address, 5000);
  for (let i = 0; trap === Trap.Budget && i < 200_000; i++) trap = w.engine.run(20_000);
  return trap;
};

const retired = (w: BareWindow): bigint => new DataView(w.memory.buffer, at(RETIRED), 8).getBigInt64(0, true);

// mov ecx, 1000000; loop: add rax, rcx; dec ecx; jnz loop; int3
const SUM = hex('b9 40 42 0f 00 48 01 c8 ff c9 75 f9 cc');

test('a loop gives the right sum and counts its instructions', () => {
  const w = setUp();
  w.write(CODE, SUM);
  w.cpu.setGpr(0, 0n);
  const before = retired(w);
  expect(finish(w, CODE)).toBe(Trap.Breakpoint);
  expect(w.cpu.gpr(0)).toBe(500000500000n);
  expect(retired(w) - before).toBe(3_000_002n);
});

test('a fault in a loop is precise, and the loop goes on once it is repaired', () => {
  const w = setUp();
  // mov ecx, 0x30000; mov ebx, DATA; loop: add rax, 1; mov [rbx], al; inc rbx; dec ecx; jnz loop; int3
  w.write(CODE, hex('b9 00 00 03 00 bb 00 00 50 00 48 83 c0 01 88 03 48 ff c3 ff c9 75 f3 cc'));
  w.cpu.setGpr(0, 0n);
  let faults = 0;
  let trap = finish(w, CODE);
  while (trap === Trap.PageFault) {
    const address = Number(new DataView(w.memory.buffer, at(TRAP_ADDRESS), 8).getBigUint64(0, true));
    expect(w.cpu.rip).toBe(CODE + 14);
    expect(address).toBe(DATA + 0x4000 + faults * 4096);
    expect(w.cpu.gpr(0)).toBe(BigInt(address - DATA + 1));
    expect(w.cpu.gpr(3)).toBe(BigInt(address));
    w.protect(address, 4096, 'rw');
    faults++;
    trap = w.engine.run(1_000_000);
    for (let i = 0; trap === Trap.Budget && i < 1000; i++) trap = w.engine.run(1_000_000);
  }
  expect(trap).toBe(Trap.Breakpoint);
  expect(faults).toBe(0x2c);
  expect(w.cpu.gpr(0)).toBe(0x30000n);
});

test('code that is changed is translated anew', () => {
  const w = setUp();
  w.write(CODE, SUM);
  for (const [opcode, expected] of [
    [0x01, 500000500000n],
    [0x29, -500000500000n],
    [0x01, 500000500000n],
  ] as const) {
    w.write(CODE + 6, [opcode]);
    w.engine.invalidate(CODE);
    w.cpu.setGpr(0, 0n);
    expect(finish(w, CODE)).toBe(Trap.Breakpoint);
    expect(BigInt.asIntN(64, w.cpu.gpr(0))).toBe(expected);
  }
});

test('code on two pages is dropped when the second changes', () => {
  const w = setUp();
  // The immediate of `add rax, imm32` lies across the boundary.
  const start = CODE + 0x1000 - 9;
  // mov ecx, 300000; loop: add rax, 1; dec ecx; jnz loop; int3
  const code = hex('b9 e0 93 04 00 48 05 01 00 00 00 ff c9 75 f6 cc');
  w.write(start, code);
  w.cpu.setGpr(0, 0n);
  expect(finish(w, start)).toBe(Trap.Breakpoint);
  expect(w.cpu.gpr(0)).toBe(300_000n);
  w.write(start + 9, [1]);
  w.engine.invalidate(CODE + 0x1000);
  w.cpu.setGpr(0, 0n);
  expect(finish(w, start)).toBe(Trap.Breakpoint);
  expect(w.cpu.gpr(0)).toBe(300_000n * 0x1_0001n);
});

test('recursion 100,000 deep and back', () => {
  const w = setUp();
  // mov ebx, 30; again: mov edi, 100000; call f; dec ebx; jnz again; int3
  // f: inc rax; dec edi; jz out; push rdi; call f; pop rdi; out: ret
  w.write(
    CODE,
    hex('bb 1e 00 00 00 bf a0 86 01 00 e8 05 00 00 00 ff cb 75 f2 cc 48 ff c0 ff cf 74 07 57 e8 f3 ff ff ff 5f c3'),
  );
  w.cpu.setGpr(0, 0n);
  expect(finish(w, CODE)).toBe(Trap.Breakpoint);
  expect(w.cpu.gpr(0)).toBe(3_000_000n);
  expect(w.cpu.gpr(4)).toBe(BigInt(STACK_TOP - 8));
});

test('an indirect call with changing targets', () => {
  const w = setUp();
  const table = DATA;
  const bytes = new DataView(w.memory.buffer, table, 32);
  const functions = [0x100, 0x110, 0x120, 0x130].map((offset) => CODE + offset);
  functions.forEach((f, i) => {
    bytes.setBigUint64(i * 8, BigInt(f), true);
    // add rax, 1 + i; ret
    w.write(f, [0x48, 0x83, 0xc0, 1 + i, 0xc3]);
  });
  // mov ecx, 400000; loop: mov edx, ecx; and edx, 3; call [rdx*8 + DATA]; dec ecx; jnz loop; int3
  w.write(CODE, hex('b9 80 1a 06 00 89 ca 83 e2 03 ff 14 d5 00 00 50 00 ff c9 75 f0 cc'));
  w.cpu.setGpr(0, 0n);
  expect(finish(w, CODE)).toBe(Trap.Breakpoint);
  expect(w.cpu.gpr(0)).toBe(1_000_000n);
});

/** Instructions over RAX–RDI without RCX and RSP, with flags that live on; branches go forward inside the body. */
const body = (random: () => number): number[] => {
  const registers = [0, 2, 3, 5, 6, 7];
  const any = (): number => registers[Math.floor(random() * registers.length)];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const parts: number[][] = [];
  for (let i = 0; i < 14; i++) {
    const rm = 0xc0 | (any() << 3) | any();
    const wide = pick([[], [0x48], [0x66]]);
    parts.push(
      pick([
        () => [...wide, pick([0x01, 0x09, 0x11, 0x19, 0x21, 0x29, 0x31, 0x39, 0x85]), rm],
        () => [...wide, 0x83, 0xc0 | (Math.floor(random() * 8) << 3) | any(), Math.floor(random() * 256)],
        () => [...wide, 0xc1, pick([0xc0, 0xc8, 0xe0, 0xe8, 0xf8]) | any(), Math.floor(random() * 40)],
        () => [0x48, 0xff, pick([0xc0, 0xc8]) | any()],
        () => [0x0f, 0x90 | Math.floor(random() * 16), 0xc0 | pick([0, 2, 3])],
        () => [0x48, 0x0f, 0x40 | Math.floor(random() * 16), rm],
        () => [0x48, 0x0f, 0xaf, rm],
        // mov [r12 + disp], reg and back
        () => [0x49, pick([0x89, 0x8b, 0x03, 0x31]), 0x44 | (any() << 3), 0x24, Math.floor(random() * 128)],
        () => [0x50 | 3, 0x58 | pick([0, 2])],
      ])(),
    );
    if (random() < 0.35) {
      // jcc over the next one
      const next = [...wide, 0x01, rm];
      parts.push([0x70 | Math.floor(random() * 16), next.length], next);
    }
  }
  return parts.flat();
};

test('random loops end in the same state on both engines', () => {
  let seed = 12345;
  const random = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return (seed >>> 8) / 0x100_0000;
  };
  const windows = [setUp(), bareWindow()];
  const plain = windows[1];
  plain.protect(CODE, 0x4000, 'rx');
  plain.protect(DATA, 0x4000, 'rw');
  plain.protect(STACK_TOP - 0x1_0000, 0x1_0000, 'rw');
  for (let round = 0; round < 60; round++) {
    const inside = body(random);
    const back = -(inside.length + 8);
    const code = [0xb9, 0x10, 0x27, 0, 0, ...inside, 0xff, 0xc9, 0x0f, 0x85];
    code.push(back & 0xff, (back >> 8) & 0xff, (back >> 16) & 0xff, back >>> 24, 0xcc);
    const values = Array.from({ length: 16 }, () => BigInt(Math.floor(random() * 2 ** 48)) * 40503n);
    const results = windows.map((w) => {
      w.write(CODE, code);
      w.engine.invalidate(CODE);
      w.bytes(DATA, 0x400).fill(7);
      for (let i = 0; i < 16; i++) w.cpu.setGpr(i, BigInt.asUintN(64, values[i]));
      w.cpu.setGpr(4, BigInt(STACK_TOP - 64));
      w.cpu.setGpr(12, BigInt(DATA + 0xff0 - 0x40));
      expect(finish(w, CODE)).toBe(Trap.Breakpoint);
      const registers = Array.from({ length: 16 }, (_, i) => w.cpu.gpr(i));
      return { registers, flags: w.cpu.rflags, memory: Buffer.from(w.bytes(DATA + 0xf00, 0x200)).toString('hex') };
    });
    expect(results[0], code.map((byte) => byte.toString(16)).join(' ')).toEqual(results[1]);
  }
});

/** Floating point over XMM0–7, with loads of all kinds of numbers and branches forward. */
const floatBody = (random: () => number): number[] => {
  const any = (): number => Math.floor(random() * 8);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const parts: number[][] = [
    [0x89, 0xca],
    [0x83, 0xe2, 62],
  ];
  for (let i = 0; i < 16; i++) {
    const rm = 0xc0 | (any() << 3) | any();
    const shape = pick([[0xf2], [0xf3], [], [0x66]]);
    parts.push(
      pick([
        () => [...shape, 0x0f, pick([0x58, 0x59, 0x5c, 0x5e, 0x51, 0x5d]), rm],
        () => [...shape, 0x0f, pick([0x58, 0x59, 0x5c]), rm],
        // mova*, movs* between registers
        () => [...pick([[0xf2], [0xf3]]), 0x0f, 0x10, rm],
        () => [...pick([[], [0x66]]), 0x0f, 0x28, rm],
        // movsd, movss, movupd from the table, by the iteration
        () => [...shape, 0x0f, 0x10, 0x04 | (any() << 3), 0xd5, 0, 0, 0x50, 0],
        () => [0x66, 0x0f, 0x70, rm, Math.floor(random() * 256)],
      ])(),
    );
    if (random() < 0.2) {
      const next = [0xf2, 0x0f, 0x59, rm];
      parts.push([0xf6, 0xc1, 1 << Math.floor(random() * 4)], [0x74, next.length], next);
    }
  }
  return parts.flat();
};

test('floating point in loops ends the same on both engines, with numbers of every kind', () => {
  let seed = 4711;
  const random = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return (seed >>> 8) / 0x100_0000;
  };
  const kinds = [0, -0, 1.5, -3.25, 1e300, -1e-300, 2 ** -1022, 2 ** -1060, Infinity, NaN, 2 ** -126, 1e-40, 3e38, 0.1];
  const windows = [setUp(), bareWindow()];
  windows[1].protect(CODE, 0x4000, 'rx');
  windows[1].protect(DATA, 0x4000, 'rw');
  for (let round = 0; round < 12; round++) {
    const inside = floatBody(random);
    const back = -(inside.length + 8);
    const code = [0xb9, 0x10, 0x27, 0, 0, ...inside, 0xff, 0xc9, 0x0f, 0x85];
    code.push(back & 0xff, (back >> 8) & 0xff, (back >> 16) & 0xff, back >>> 24, 0xcc);
    // Mostly numbers that are plain, so that the short way is taken, and others seldom.
    const plain = random() < 0.4;
    const table = Array.from({ length: 66 }, () =>
      !plain && random() < 0.2 ? kinds[Math.floor(random() * kinds.length)] : (random() - 0.5) * 8,
    );
    const settled = random() < 0.8 ? 0x1fa0 : 0x1f80;
    const results = windows.map((w) => {
      w.write(CODE, code);
      w.engine.invalidate(CODE);
      const view = new DataView(w.memory.buffer, DATA, 66 * 8);
      table.forEach((value, i) => {
        if (i % 3 === 2) {
          view.setFloat32(i * 8, value, true);
          view.setFloat32(i * 8 + 4, value * 3, true);
        } else view.setFloat64(i * 8, value, true);
      });
      for (let i = 0; i < 8; i++) w.cpu.xmm(i).fill(0x3f + (i & 1));
      w.cpu.view.setUint32(MXCSR, settled, true);
      expect(finish(w, CODE)).toBe(Trap.Breakpoint);
      const vectors = Array.from({ length: 8 }, (_, i) => Buffer.from(w.cpu.xmm(i)).toString('hex'));
      return { vectors, mxcsr: w.cpu.view.getUint32(MXCSR, true) };
    });
    expect(results[0], code.map((byte) => byte.toString(16)).join(' ')).toEqual(results[1]);
  }
});

test('a denormal result of the long way is noticed as the operand of what follows', () => {
  const w = setUp();
  // mov ecx, 100000; loop: movsd xmm0, [DATA]; mulsd xmm0, [DATA+8]; addsd xmm0, [DATA+16]; dec ecx; jnz loop; int3
  const operand = (offset: number): number[] => [0x04, 0x25, offset, 0, 0x50, 0];
  const inside = [0x10, 0x59, 0x58].flatMap((opcode, i) => [0xf2, 0x0f, opcode, ...operand(i * 8)]);
  w.write(CODE, [0xb9, 0xa0, 0x86, 1, 0, ...inside, 0xff, 0xc9, 0x75, -(inside.length + 4) & 0xff, 0xcc]);
  const table = new DataView(w.memory.buffer, DATA, 24);
  const run = (a: number, b: number): number => {
    for (const [i, value] of [a, b, 1].entries()) table.setFloat64(i * 8, value, true);
    w.cpu.view.setUint32(MXCSR, 0x1fa0, true);
    expect(finish(w, CODE)).toBe(Trap.Breakpoint);
    return w.cpu.view.getUint32(MXCSR, true);
  };
  expect(run(1.5, 1.25)).toBe(0x1fa0);
  // DE, which only the addition raises, besides PE; the product is exact.
  expect(run(2 ** -600, 2 ** -450)).toBe(0x1fa2);
});
