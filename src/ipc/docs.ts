/**
 * Renders a protocol as Markdown, from nothing but its declaration. `tools/` writes docs/generated/ipc.md with it.
 *
 * Entry point: `protocolMarkdown`.
 */
import { ERROR_OFFSET, REPLY_OFFSET } from './codec.ts';
import type { Fields, Protocol } from './protocol.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const fields = (declared: Fields): string => {
  const entries = Object.entries(declared);
  return entries.length === 0 ? '—' : entries.map(([name, { kind }]) => `\`${name}\`: ${kind}`).join(', ');
};

/** A section with a table of all calls, by number. `pid` is the server's, for the heading. */
export const protocolMarkdown = (protocol: Protocol, pid?: number): string => {
  const calls = Object.entries(protocol.calls).sort(([, a], [, b]) => a.number - b.number);
  const { base } = protocol;
  return [
    `## ${protocol.name}${pid === undefined ? '' : ` (PID ${pid})`}`,
    '',
    `Numbers ${base}–${base + 99}${protocol.more === undefined ? '' : ` and ${protocol.more}–${protocol.more + 99}`}; ${base + REPLY_OFFSET} is the reply, ${base + ERROR_OFFSET} the error (\`errno\`: i32). ${calls.length} calls.`,
    '',
    '| Number | Call | Request | Reply | Meaning |',
    '| ---: | --- | --- | --- | --- |',
    ...calls.map(
      ([name, call]) =>
        `| ${call.number} | \`${name}\` | ${cell(fields(call.request))} | ${cell(fields(call.reply))} | ${cell(call.doc)} |`,
    ),
    '',
  ].join('\n');
};
