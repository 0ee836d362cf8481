/** Both tiers side by side: right code runs through, code that was changed behind the engine's back is noticed. */
import { expect, test } from 'vitest';
import { Trap } from './engine.ts';
import { bareWindow } from './interpreter/bare-window.ts';
import { Lockstep, LockstepDifference } from './lockstep.ts';

const CODE = 0x40_0000;
const DATA = 0x50_0000;

// mov ebx, DATA; mov ecx, 200000; loop: add rax, rcx; mov [rbx], rax; nop; nop; dec ecx; jnz loop; int3
const LOOP = [
  0xbb, 0, 0, 0x50, 0, 0xb9, 0x40, 0x0d, 3, 0, 0x48, 0x01, 0xc8, 0x48, 0x89, 0x03, 0x90, 0x90, 0xff, 0xc9, 0x75, 0xf4,
  0xcc,
];

const setUp = (): ReturnType<typeof bareWindow> => {
  const w = bareWindow(undefined, (memory, host) => new Lockstep(memory, host, { hot: 2 }));
  w.protect(CODE, 0x1000, 'rx');
  w.protect(DATA, 0x1000, 'rw');
  w.write(CODE, LOOP);
  w.cpu.setGpr(0, 0n);
  return w;
};

const finish = (w: ReturnType<typeof bareWindow>): Trap => {
  let trap = w.start(CODE, 5000);
  while (trap === Trap.Budget) trap = w.engine.run(30_000);
  return trap;
};

test('a loop ends as it does on either tier', () => {
  const w = setUp();
  expect(finish(w)).toBe(Trap.Breakpoint);
  expect(w.cpu.gpr(0)).toBe(20_000_100_000n);
  expect(new DataView(w.memory.buffer, DATA, 8).getBigUint64(0, true)).toBe(20_000_100_000n);
});

test('a page that may not be written faults as ever', () => {
  const w = setUp();
  w.protect(DATA, 0x1000, 'r');
  expect(finish(w)).toBe(Trap.PageFault);
  expect(w.cpu.rip).toBe(CODE + 13);
});

test('the first difference is told with both states and the code', () => {
  const w = setUp();
  let trap = w.start(CODE, 5000);
  for (let i = 0; i < 8 && trap === Trap.Budget; i++) trap = w.engine.run(10_000);
  expect(trap).toBe(Trap.Budget);
  // ADD becomes SUB; nobody tells the engine.
  w.write(CODE + 11, [0x29]);
  expect(() => finish(w)).toThrow(LockstepDifference);
  expect(() => w.engine.run(10_000)).toThrow(/rax: translated [\s\S]*sub rax,rcx/);
});
