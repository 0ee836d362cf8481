import { expect, test } from 'vitest';
import { int } from '../abi/arguments.ts';
import { syscall } from '../abi/syscall.ts';
import { SYSCALL_NAMES } from '../abi/syscall-names.ts';
import { syscalls } from '../abi/syscalls.ts';
import { GONE, LEFT_OUT } from '../abi/syscalls-without.ts';
import { syscallMarkdown, syscallTotals } from './docs.ts';

test('lists what is answered, by whom and how far, and what is not', () => {
  const text = syscallMarkdown({
    close: syscall(3, 'vfs', 'close', { fd: int }),
    clone: syscall(56, 'kernel', 'clone', {}, { partial: 'a | b' }),
  });
  expect(text).toContain('| 3 | `close` | vfs.`close` | fd | full |');
  expect(text).toContain('| 56 | `clone` | kernel | — | partial: a \\| b |');
  expect(text).toContain('| 0 | `read` | — | — | ENOSYS |');
  expect(text).toContain('| 183 | `afs_syscall` | — | — | full: ENOSYS, as on every Linux 6.18 |');
  expect(text).toContain('| 172 | `iopl` | — | — | full: ENOSYS, as on a Linux built without it |');
});

test('counts every call of Linux once', () => {
  const totals = syscallTotals(syscalls);
  const { served, gone, leftOut, partial, missing } = totals;
  expect(totals.all).toBe(SYSCALL_NAMES.size);
  expect(served + gone + leftOut + partial + missing).toBe(totals.all);
  expect(served + partial).toBe(Object.keys(syscalls).length);
  const before = syscallTotals({ close: syscall(3, 'vfs', 'close', { fd: int }) });
  expect(before).toMatchObject({ served: 1, partial: 0, gone: GONE.length, leftOut: LEFT_OUT.length });
});

test('what Linux is without has a number there and no entry here', () => {
  const names = new Set(SYSCALL_NAMES.values());
  for (const name of [...GONE, ...LEFT_OUT]) {
    expect(names.has(name), name).toBe(true);
    expect(name in syscalls, name).toBe(false);
  }
});

test('the names of the table are those of Linux, and no number is taken twice', () => {
  const seen = new Set<number>();
  for (const [name, { number }] of Object.entries(syscalls)) {
    expect(SYSCALL_NAMES.get(number), name).toBe(name);
    expect(seen.has(number), name).toBe(false);
    seen.add(number);
  }
});

test('the full table of Linux names is complete', () => {
  expect(SYSCALL_NAMES.get(0)).toBe('read');
  expect(SYSCALL_NAMES.get(334)).toBe('rseq');
  expect(SYSCALL_NAMES.get(435)).toBe('clone3');
  expect(SYSCALL_NAMES.get(461)).toBe('lsm_list_modules');
  for (let number = 0; number <= 461; number++)
    expect(SYSCALL_NAMES.has(number), String(number)).toBe(number <= 334 || number >= 424);
});
