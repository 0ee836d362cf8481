/**
 * docs/generated/syscalls.md: every Linux x86-64 system call with who answers it and how completely, from the table that
 * dispatch uses. A call that is in the table and not marked partial is complete.
 */
import type { Syscall } from '../abi/syscall.ts';
import { SYSCALL_NAMES } from '../abi/syscall-names.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

const signature = (call: Syscall): string => Object.keys(call.args).join(', ') || '—';

const state = (call: Syscall): string =>
  call.options.partial === undefined ? 'complete' : `partial: ${call.options.partial}`;

/** Where the kernel answers itself there is no message. */
const answer = (call: Syscall): string => (call.server === 'kernel' ? 'kernel' : `${call.server}.\`${call.message}\``);

export const syscallMarkdown = (table: Readonly<Record<string, Syscall>>): string => {
  const declared = Object.entries(table).sort(([, a], [, b]) => a.number - b.number);
  const partial = declared.filter(([, call]) => call.options.partial !== undefined).length;
  const numbers = new Set(declared.map(([, call]) => call.number));
  const missing = [...SYSCALL_NAMES].filter(([number]) => !numbers.has(number));
  const rows = declared.map(
    ([name, call]) => `| ${call.number} | \`${name}\` | ${answer(call)} | ${signature(call)} | ${cell(state(call))} |`,
  );
  return `# System calls

Generated from the system call table (\`src/abi/syscalls\`). ${declared.length} calls are answered, ${partial} of them partially;
${missing.length} of Linux x86-64 are not: they answer ENOSYS.

| Number | Call | Answered by | Arguments | State |
| ---: | --- | --- | --- | --- |
${rows.join('\n')}

## Answered with ENOSYS

${missing.map(([number, name]) => `${number}\u00a0\`${name}\``).join(', ')}
`;
};
