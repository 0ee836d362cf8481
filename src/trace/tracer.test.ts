import { expect, test } from 'vitest';
import { bufferOut, fd, int, path, size } from '../abi/arguments.ts';
import { EINTR, ENOENT } from '../abi/errno.ts';
import { childInfo, faultInfo, SIGCHLD, SIGSEGV } from '../abi/signals.ts';
import { syscall } from '../abi/syscall.ts';
import { type TracedThread, Tracer } from './tracer.ts';

const declared = (name: string, args: Parameters<typeof syscall>[3]) => ({ ...syscall(0, 'vfs', name, args), name });
const open = declared('open', { path, flags: int });
const read = declared('read', { fd, buf: bufferOut(2), count: size });

const thread = (pid: number, registers: readonly number[], text = 'hello'): TracedThread => ({
  tid: pid,
  interrupted: false,
  registers: {
    i32: (i) => registers[i],
    u32: (i) => registers[i],
    i53: (i) => registers[i],
    u53: (i) => registers[i],
    u64: (i) => BigInt(registers[i]),
    signed: () => 77,
  },
  process: {
    pid,
    memory: {
      read: (_address, length) => Uint8Array.from(text.slice(0, length), (c) => c.charCodeAt(0)),
      string: () => text,
    },
  },
});

const traced = (filter?: string): { tracer: Tracer; lines: string[] } => {
  const lines: string[] = [];
  return { tracer: new Tracer((line) => lines.push(line), { filter }), lines };
};

test('a call is one line, with its result or its error', () => {
  const { tracer, lines } = traced();
  const caller = thread(5, [0x1000, 2]);
  tracer.enter(caller, 2, open);
  tracer.leave(caller, 3);
  tracer.enter(caller, 2, open);
  tracer.leave(caller, ENOENT);
  tracer.enter(caller, 334, undefined);
  tracer.leave(caller, Symbol('registers'));
  expect(lines).toEqual([
    '[pid 5] open("hello", 2) = 3',
    '[pid 5] open("hello", 2) = -1 ENOENT (No such file or directory)',
    '[pid 5] rseq() = 77',
  ]);
});

test('what a call fills is shown when it is left, and other lines may come between', () => {
  const { tracer, lines } = traced();
  const reader = thread(5, [0, 0x2000, 32], 'abcdef');
  const other = thread(6, [0x1000, 0]);
  tracer.enter(reader, 0, read);
  tracer.enter(other, 2, open);
  tracer.leave(reader, 3);
  tracer.leave(other, 4);
  expect(lines).toEqual([
    '[pid 5] read(0,  <unfinished ...>',
    '[pid 6] open("hello", 0 <unfinished ...>',
    '[pid 5] <... read resumed>"abc", 32) = 3',
    '[pid 6] <... open resumed>) = 4',
  ]);
});

test('interrupted calls, signals and ends', () => {
  const { tracer, lines } = traced();
  const caller = thread(5, [0, 0x2000, 1]);
  tracer.enter(caller, 0, read);
  tracer.leave({ ...caller, interrupted: true }, EINTR);
  tracer.signalled(caller, {
    signal: SIGCHLD,
    info: childInfo(SIGCHLD, { code: 1, pid: 6, uid: 0, status: 3 }),
  });
  tracer.signalled(caller, { signal: SIGSEGV, info: faultInfo(SIGSEGV, 1, 0x10) });
  tracer.enter(caller, 0, read);
  tracer.exited({ pid: 5, threads: [caller] }, 9);
  tracer.exited({ pid: 6, threads: [] }, 3 << 8);
  expect(lines.map((line) => line.replace(/^\[pid \d\] /, ''))).toEqual([
    'read(0, "", 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)',
    '--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=6, si_uid=0, si_status=3} ---',
    '--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10} ---',
    'read(0, ) = ?',
    '+++ killed by SIGKILL +++',
    '+++ exited with 3 +++',
  ]);
});

test('a filter names what is shown, or what is not', () => {
  for (const [filter, expected] of [
    ['open', 1],
    ['!open', 1],
    ['read,open', 2],
    ['', 2],
  ] as const) {
    const { tracer, lines } = traced(filter);
    const caller = thread(5, [0, 0, 0]);
    for (const call of [open, read]) {
      tracer.enter(caller, 0, call);
      tracer.leave(caller, 0);
    }
    expect(lines.length, filter).toBe(expected);
  }
});
