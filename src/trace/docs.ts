/**
 * docs/generated/syscalls.md: every Linux x86-64 system call with who answers it and how completely, from the table that
 * dispatch uses. A call that is in the table and not marked partial is full; so is one that answers ENOSYS on Linux as well
 * (abi/syscalls-without.ts), which the totals count apart.
 */
import type { Syscall } from '../abi/syscall.ts';
import { SYSCALL_NAMES } from '../abi/syscall-names.ts';
import { GONE, LEFT_OUT } from '../abi/syscalls-without.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

const signature = (call: Syscall): string => Object.keys(call.args).join(', ') || '—';

const state = (call: Syscall): string =>
  call.options.partial === undefined ? 'full' : `partial: ${call.options.partial}`;

/** Where the kernel answers itself there is no message. */
const answer = (call: Syscall): string => (call.server === 'kernel' ? 'kernel' : `${call.server}.\`${call.message}\``);

export interface SyscallTotals {
  readonly all: number;
  /** Answered, and not marked partial. */
  readonly served: number;
  readonly gone: number;
  readonly leftOut: number;
  readonly partial: number;
  /** ENOSYS where Linux has something to say. */
  readonly missing: number;
}

type Row = { readonly number: number; readonly name: string; readonly call?: Syscall };

/** Every call that Linux numbers, and those that only we have. */
const rowsOf = (table: Readonly<Record<string, Syscall>>): Row[] => {
  const rows = new Map<number, Row>([...SYSCALL_NAMES].map(([number, name]) => [number, { number, name }]));
  for (const [name, call] of Object.entries(table)) rows.set(call.number, { number: call.number, name, call });
  return [...rows.values()].sort((a, b) => a.number - b.number);
};

export const syscallTotals = (table: Readonly<Record<string, Syscall>>): SyscallTotals => {
  const rows = rowsOf(table).filter(({ number }) => SYSCALL_NAMES.has(number));
  const count = (holds: (row: Row) => boolean): number => rows.filter(holds).length;
  const served = count(({ call }) => call !== undefined && call.options.partial === undefined);
  const partial = count(({ call }) => call?.options.partial !== undefined);
  const gone = count(({ name, call }) => call === undefined && GONE.includes(name));
  const leftOut = count(({ name, call }) => call === undefined && LEFT_OUT.includes(name));
  return { all: rows.length, served, gone, leftOut, partial, missing: rows.length - served - partial - gone - leftOut };
};

/** The totals in a sentence or two. */
export const syscallSummary = (table: Readonly<Record<string, Syscall>>): string => {
  const { all, served, gone, leftOut, partial, missing } = syscallTotals(table);
  return `Of the ${all} system calls of Linux x86-64, ${served + gone + leftOut} are full, ${partial} partial, and ${missing} answer ENOSYS where Linux
would not. Of the full ones ${served} are served; ${gone} answer ENOSYS as on every Linux 6.18, and ${leftOut} as on one built without port
access, modules, kexec and shadow stacks, which is the one that we compare with.`;
};

/** Every call with its number and state: full, partial (what is missing) or ENOSYS. */
export const syscallStates = (table: Readonly<Record<string, Syscall>>): string =>
  [
    '| Number | Call | State |',
    '| ---: | --- | --- |',
    ...rowsOf(table).map(({ number, name, call }) => `| ${number} | \`${name}\` | ${cell(rowState(name, call))} |`),
  ].join('\n');

const rowState = (name: string, call: Syscall | undefined): string => {
  if (call !== undefined) return state(call);
  if (GONE.includes(name)) return 'full: ENOSYS, as on every Linux 6.18';
  return LEFT_OUT.includes(name) ? 'full: ENOSYS, as on a Linux built without it' : 'ENOSYS';
};

/** docs/generated/syscalls.md. */
export const syscallMarkdown = (table: Readonly<Record<string, Syscall>>): string => {
  const rows = rowsOf(table).map(({ number, name, call }) => {
    const [who, args] = call === undefined ? ['—', '—'] : [answer(call), signature(call)];
    return `| ${number} | \`${name}\` | ${who} | ${args} | ${cell(rowState(name, call))} |`;
  });
  return `# System calls

Generated from the system call table (\`src/abi/syscalls\`). ${syscallSummary(table)}

| Number | Call | Answered by | Arguments | State |
| ---: | --- | --- | --- | --- |
${rows.join('\n')}
`;
};
