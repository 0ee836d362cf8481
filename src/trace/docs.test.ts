import { expect, test } from 'vitest';
import { int } from '../abi/arguments.ts';
import { syscall } from '../abi/syscall.ts';
import { SYSCALL_NAMES } from '../abi/syscall-names.ts';
import { syscalls } from '../abi/syscalls.ts';
import { syscallMarkdown } from './docs.ts';

test('lists what is answered, by whom and how far, and what is not', () => {
  const text = syscallMarkdown({
    close: syscall(3, 'vfs', 'close', { fd: int }),
    clone: syscall(56, 'kernel', 'clone', {}, { partial: 'a | b' }),
  });
  expect(text).toContain('2 calls are answered, 1 of them partially');
  expect(text).toContain('| 3 | `close` | vfs.`close` | fd | complete |');
  expect(text).toContain('| 56 | `clone` | kernel | — | partial: a \\| b |');
  expect(text).toContain('0\u00a0`read`');
  expect(text).not.toContain('3\u00a0`close`');
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
