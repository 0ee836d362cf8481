import { beforeEach, describe, expect, test } from 'vitest';
import { Access, Trap } from '../engine.ts';
import { Reg } from '../state.ts';
import { type BareWindow, bareWindow } from './bare-window.ts';

const CODE = 0x40_0000;
const DATA = 0x7000_4000_0000;
const STACK = 0x7ffe_f000_0000;

let w: BareWindow;

const code = (...bytes: number[]): void => w.write(CODE, bytes);
const get = (register: Reg): number => w.cpu.gprNumber(register);
const set = (register: Reg, value: number): void => w.cpu.setGprNumber(register, value);

beforeEach(() => {
  w = bareWindow();
  w.protect(CODE, 0x2000, 'rx');
  w.protect(DATA, 0x2000, 'rw');
  w.protect(STACK - 0x1000, 0x1000, 'rw');
  set(Reg.RSP, STACK);
});

describe('traps', () => {
  test('SYSCALL leaves RIP behind it, RCX and R11 set', () => {
    code(0xb8, 0x27, 0, 0, 0, 0x0f, 0x05);
    expect(w.start(CODE)).toBe(Trap.Syscall);
    expect(w.cpu.rip).toBe(CODE + 7);
    expect(get(Reg.RCX)).toBe(CODE + 7);
    expect(get(Reg.R11)).toBe(0x202);
    expect(w.cpu.retired).toBe(2);
  });

  test('INT3 is behind itself, UD2 and HLT are at themselves', () => {
    code(0xcc);
    expect(w.start(CODE)).toBe(Trap.Breakpoint);
    expect(w.cpu.rip).toBe(CODE + 1);
    w.write(CODE + 16, [0x90, 0x0f, 0x0b]);
    expect(w.start(CODE + 16)).toBe(Trap.InvalidOpcode);
    expect(w.cpu.rip).toBe(CODE + 17);
    w.write(CODE + 32, [0xf4]);
    expect(w.start(CODE + 32)).toBe(Trap.GeneralProtection);
    expect(w.cpu.rip).toBe(CODE + 32);
  });

  test('INT n tells its vector', () => {
    code(0xcd, 0x80);
    expect(w.start(CODE)).toBe(Trap.SoftwareInterrupt);
    expect(w.cpu.trapCode).toBe(0x80);
  });

  test('a page fault tells address and access, and nothing has happened', () => {
    code(0x48, 0x87, 0x03, 0xcc); // xchg [rbx], rax
    w.protect(DATA, 0x1000, 'r');
    set(Reg.RAX, 7);
    set(Reg.RBX, DATA + 8);
    expect(w.start(CODE)).toBe(Trap.PageFault);
    expect(w.cpu.trapAddress).toBe(BigInt(DATA + 8));
    expect(w.cpu.trapAccess).toBe(Access.Write);
    expect(w.cpu.rip).toBe(CODE);
    expect(get(Reg.RAX)).toBe(7);
    expect(w.cpu.retired).toBe(0);
    w.protect(DATA, 0x1000, 'rw');
    expect(w.start(CODE)).toBe(Trap.Breakpoint);
    expect(get(Reg.RAX)).toBe(0);
    expect(w.bytes(DATA + 8, 1)[0]).toBe(7);
  });

  test('an access across two pages faults in the second', () => {
    code(0x48, 0x89, 0x03, 0xcc); // mov [rbx], rax
    w.protect(DATA + 0x1000, 0x1000, '');
    set(Reg.RAX, -1);
    set(Reg.RBX, DATA + 0xffc);
    expect(w.start(CODE)).toBe(Trap.PageFault);
    expect(w.cpu.trapAddress).toBe(BigInt(DATA + 0x1000));
    expect([...w.bytes(DATA + 0xffc, 4)]).toEqual([0, 0, 0, 0]);
    w.protect(DATA, 0x2000, 'rw');
    w.start(CODE);
    expect([...w.bytes(DATA + 0xffa, 12)]).toEqual([0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0]);
  });

  test('non-canonical addresses are #GP, kernel addresses page faults', () => {
    code(0x8b, 0x03); // mov eax, [rbx]
    w.cpu.setGpr(Reg.RBX, 1n << 47n);
    expect(w.start(CODE)).toBe(Trap.GeneralProtection);
    w.cpu.setGpr(Reg.RBX, -4096n);
    expect(w.start(CODE)).toBe(Trap.PageFault);
    expect(w.cpu.trapAddress).toBe(0xffff_ffff_ffff_f000n);
  });

  test('a page with the same low 32 bits is another page', () => {
    code(0x8b, 0x03);
    set(Reg.RBX, DATA - 0x1_0000_0000);
    expect(w.start(CODE)).toBe(Trap.PageFault);
  });

  test('execution needs the execute permission, on both pages of an instruction', () => {
    expect(w.start(DATA)).toBe(Trap.PageFault);
    expect(w.cpu.trapAccess).toBe(Access.Execute);
    w.protect(CODE + 0x1000, 0x1000, 'r');
    w.write(CODE + 0xffe, [0xb8, 1, 0, 0, 0]);
    expect(w.start(CODE + 0xffe)).toBe(Trap.PageFault);
    expect(w.cpu.trapAddress).toBe(BigInt(CODE + 0x1000));
    expect(w.cpu.rip).toBe(CODE + 0xffe);
    w.protect(CODE + 0x1000, 0x1000, 'x');
    w.write(CODE + 0x1003, [0xcc]);
    expect(w.start(CODE + 0xffe)).toBe(Trap.Breakpoint);
    expect(get(Reg.RAX)).toBe(1);
  });

  test('TF traps after each instruction', () => {
    code(0x90, 0xeb, 0x02, 0xcc, 0xcc, 0x90);
    w.cpu.setRflags(0x100);
    const places: number[] = [];
    w.cpu.rip = CODE;
    for (let i = 0; i < 3; i++) {
      expect(w.engine.run(1000)).toBe(Trap.SingleStep);
      places.push(w.cpu.rip - CODE);
    }
    expect(places).toEqual([1, 5, 6]);
    expect(w.cpu.retired).toBe(3);
  });

  test('POPF that sets TF traps after the next instruction', () => {
    code(0x9d, 0x90, 0x90);
    set(Reg.RSP, STACK - 8);
    w.bytes(STACK - 8, 2).set([0x02, 0x01]);
    expect(w.start(CODE)).toBe(Trap.SingleStep);
    expect(w.cpu.rip).toBe(CODE + 2);
  });
});

describe('budget', () => {
  test('an endless loop ends with the budget, which is counted exactly', () => {
    code(0xff, 0xc0, 0xeb, 0xfc); // inc eax; jmp
    expect(w.start(CODE, 1000)).toBe(Trap.Budget);
    expect(w.cpu.retired).toBe(1000);
    expect(get(Reg.RAX)).toBe(500);
    expect(w.engine.run(500_000)).toBe(Trap.Budget);
    expect(w.cpu.retired).toBe(501_000);
    expect(get(Reg.RAX)).toBe(250_500);
  });

  test('REP rounds count', () => {
    code(0xf3, 0xac, 0xcc); // rep lodsb
    set(Reg.RCX, 5000);
    set(Reg.RSI, DATA);
    expect(w.start(CODE, 100)).toBe(Trap.Budget);
    expect(get(Reg.RCX)).toBe(4900);
    expect(w.cpu.rip).toBe(CODE);
  });
});

describe('translations', () => {
  test('code that was rewritten and invalidated runs anew, also behind links', () => {
    code(0xb8, 1, 0, 0, 0, 0xe9, 0xf6, 0x0f, 0, 0); // mov eax, 1; jmp CODE + 0x1000
    w.write(CODE + 0x1000, [0xb9, 2, 0, 0, 0, 0xcc]);
    w.start(CODE);
    w.start(CODE);
    expect(get(Reg.RCX)).toBe(2);
    expect([...w.translated].sort()).toEqual([CODE, CODE + 0x1000]);
    w.write(CODE + 0x1001, [3]);
    w.start(CODE);
    expect(get(Reg.RCX)).toBe(2);
    w.translated.clear();
    w.engine.invalidate(CODE + 0x1000);
    w.start(CODE);
    expect(get(Reg.RCX)).toBe(3);
    expect([...w.translated]).toEqual([CODE + 0x1000]);
  });

  test('reset forgets everything', () => {
    code(0xb8, 1, 0, 0, 0, 0xcc);
    w.start(CODE);
    code(0xb8, 9, 0, 0, 0, 0xcc);
    w.engine.reset();
    w.start(CODE);
    expect(get(Reg.RAX)).toBe(9);
  });

  test('a child inherits translations and decodes nothing', () => {
    code(0xff, 0xc0, 0x3d, 16, 39, 0, 0, 0x75, 0xf7, 0xcc); // inc eax; cmp eax, 10000; jne; int3
    w.start(CODE, 1_000_000);
    const child = bareWindow();
    child.protect(CODE, 0x1000, 'rx');
    child.write(CODE, w.bytes(CODE, 16));
    child.engine.inherit(w.engine);
    expect(child.start(CODE, 1_000_000)).toBe(Trap.Breakpoint);
    expect(child.cpu.gprNumber(Reg.RAX)).toBe(10_000);
    expect(child.engine.statistics.decoded).toBe(0);
    expect([...child.translated]).toEqual([CODE]);
  });

  test('the same code at the same address is decoded once, other code and changed code anew', () => {
    const program = [0xb8, 0x11, 0x22, 0x33, 0x44, 0xcc]; // mov eax, 0x44332211; int3
    const other = program.with(1, 0x99);
    const run = (bytes: number[], engine = bareWindow()): [number, BareWindow] => {
      engine.protect(CODE, 0x1000, 'rx');
      engine.write(CODE, bytes);
      const before = engine.engine.statistics.decoded;
      expect(engine.start(CODE)).toBe(Trap.Breakpoint);
      expect(engine.cpu.gprNumber(Reg.RAX) & 0xff).toBe(bytes[1]);
      return [engine.engine.statistics.decoded - before, engine];
    };
    run(program);
    const [decoded, window] = run(program);
    expect(decoded).toBe(0);
    expect([...window.translated]).toEqual([CODE]);
    expect(run(other)[0]).toBe(2);
    window.engine.invalidate(CODE);
    expect(run(other, window)[0]).toBe(0);
    window.engine.invalidate(CODE);
    expect(run(program.with(1, 0x77), window)[0]).toBe(2);
  });

  test('a child takes over only code that its parent still has', () => {
    code(0xb8, 1, 0, 0, 0, 0xcc);
    w.start(CODE);
    const child = bareWindow();
    child.protect(CODE, 0x1000, 'rx');
    child.write(CODE, [0xb8, 1, 0, 0, 0, 0xcc]);
    child.engine.inherit(w.engine);
    child.engine.invalidate(CODE);
    child.write(CODE, [0xb8, 2, 0, 0, 0, 0xcc]);
    child.start(CODE);
    expect(child.cpu.gprNumber(Reg.RAX)).toBe(2);
  });

  test('more code than the arena holds flushes and goes on', () => {
    const pages = 80;
    w.protect(CODE, pages * 0x1000, 'rx');
    w.bytes(CODE, pages * 0x1000).fill(0x90);
    w.write(CODE + pages * 0x1000 - 1, [0xcc]);
    expect(w.start(CODE, 20_000_000)).toBe(Trap.Breakpoint);
    expect(w.cpu.retired).toBe(pages * 0x1000);
    expect(w.engine.statistics.flushes).toBeGreaterThan(0);
    expect(w.start(CODE + 0x800, 20_000_000)).toBe(Trap.Breakpoint);
  });
});

describe('pages outside the window', () => {
  test('are read, written, crossed into and executed through the host', () => {
    const outside = new Uint8Array(4096);
    w.side.set(DATA + 0x2000, outside);
    outside.set([1, 2, 3, 4]);
    code(0x48, 0x01, 0x03, 0xcc); // add [rbx], rax
    set(Reg.RAX, 0x0101_0101);
    set(Reg.RBX, DATA + 0x1ffe);
    expect(w.start(CODE)).toBe(Trap.Breakpoint);
    expect([...w.bytes(DATA + 0x1ffe, 2)]).toEqual([1, 1]);
    expect([...outside.subarray(0, 4)]).toEqual([2, 3, 3, 4]);
    outside.set([0xff, 0xc0, 0xcc], 0x100); // inc eax
    expect(w.start(DATA + 0x2100)).toBe(Trap.Breakpoint);
    expect(get(Reg.RAX)).toBe(0x0101_0102);
  });
});

describe('instructions', () => {
  test('division: quotient, remainder, #DE', () => {
    code(0x48, 0xf7, 0xf9, 0xcc); // idiv rcx
    w.cpu.setGpr(Reg.RAX, -100n);
    w.cpu.setGpr(Reg.RDX, -1n);
    set(Reg.RCX, 7);
    expect(w.start(CODE)).toBe(Trap.Breakpoint);
    expect(BigInt.asIntN(64, w.cpu.gpr(Reg.RAX))).toBe(-14n);
    expect(BigInt.asIntN(64, w.cpu.gpr(Reg.RDX))).toBe(-2n);
    set(Reg.RCX, 0);
    expect(w.start(CODE)).toBe(Trap.DivideError);
    w.cpu.setGpr(Reg.RAX, 1n << 63n);
    w.cpu.setGpr(Reg.RDX, -1n);
    w.cpu.setGpr(Reg.RCX, -1n);
    expect(w.start(CODE)).toBe(Trap.DivideError);
  });

  test('REP MOVSB over pages and REP STOSQ', () => {
    for (let i = 0; i < 0x1000; i++) w.bytes(DATA, 0x1000)[i] = i * 7;
    code(0xf3, 0xa4, 0xcc);
    set(Reg.RCX, 0xe01);
    set(Reg.RSI, DATA + 3);
    set(Reg.RDI, DATA + 0xf80);
    w.protect(DATA, 0x3000, 'rw');
    const expected = w.bytes(DATA, 0x3000).slice();
    for (let i = 0; i < 0xe01; i++) expected[0xf80 + i] = expected[3 + i];
    expect(w.start(CODE)).toBe(Trap.Breakpoint);
    expect(Buffer.from(w.bytes(DATA, 0x3000)).equals(Buffer.from(expected))).toBe(true);
    expect(get(Reg.RCX)).toBe(0);
    expect(get(Reg.RSI)).toBe(DATA + 3 + 0xe01);
    w.write(CODE + 16, [0xf3, 0x48, 0xab, 0xcc]);
    set(Reg.RAX, 0x1122_3344);
    set(Reg.RCX, 3);
    set(Reg.RDI, DATA + 0xff8);
    w.start(CODE + 16);
    expect([...w.bytes(DATA + 0xff8, 8)]).toEqual([0x44, 0x33, 0x22, 0x11, 0, 0, 0, 0]);
    expect([...w.bytes(DATA + 0x1008, 5)]).toEqual([0x44, 0x33, 0x22, 0x11, 0]);
  });

  test('forward overlapping REP MOVSB repeats the pattern', () => {
    code(0xf3, 0xa4, 0xcc);
    w.write(DATA, [1, 2, 3]);
    set(Reg.RCX, 9);
    set(Reg.RSI, DATA);
    set(Reg.RDI, DATA + 3);
    w.start(CODE);
    expect([...w.bytes(DATA, 12)]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });

  test('POP [RSP] uses the incremented stack pointer', () => {
    code(0x8f, 0x04, 0x24, 0xcc);
    set(Reg.RSP, STACK - 16);
    w.write(STACK - 16, [42]);
    w.start(CODE);
    expect(w.bytes(STACK - 8, 1)[0]).toBe(42);
    expect(get(Reg.RSP)).toBe(STACK - 8);
  });

  test('LOCK on a register or an instruction that cannot be locked is #UD', () => {
    code(0xf0, 0x01, 0xc0);
    expect(w.start(CODE)).toBe(Trap.InvalidOpcode);
    w.write(CODE + 16, [0xf0, 0x8b, 0x03]);
    expect(w.start(CODE + 16)).toBe(Trap.InvalidOpcode);
  });

  test('more than 15 bytes is #GP', () => {
    code(...Array(15).fill(0x66), 0x90);
    expect(w.start(CODE)).toBe(Trap.GeneralProtection);
  });

  test('CPUID tells x86-64-v2 and nothing beyond', () => {
    code(0x0f, 0xa2, 0xcc);
    set(Reg.RAX, 1);
    w.start(CODE);
    const ecx = get(Reg.RCX);
    for (const bit of [0, 9, 13, 19, 20, 23]) expect((ecx >>> bit) & 1).toBe(1);
    for (const bit of [1, 12, 22, 25, 26, 27, 28, 29, 30]) expect((ecx >>> bit) & 1).toBe(0);
  });
});
