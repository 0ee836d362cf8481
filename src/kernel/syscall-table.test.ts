/** Every declared call fits the message it becomes: dispatch fills each request field from an argument or a constant. */
import { expect, test } from 'vitest';
import { syscalls } from '../abi/syscalls.ts';
import type { Protocol } from '../ipc/protocol.ts';
import { memoryProtocol } from '../ipc/protocols/memory.ts';
import { processProtocol } from '../ipc/protocols/process.ts';
import { vfsProtocol } from '../ipc/protocols/vfs.ts';

const protocols: Readonly<Record<string, Protocol>> = {
  vfs: vfsProtocol,
  process: processProtocol,
  memory: memoryProtocol,
};

/** Values that a loaded argument of each kind may have, told by what the kind makes of all-zero registers. */
const zero = { i32: () => 0, u32: () => 0, i53: () => 0, u53: () => 0, u64: () => 0n };
const guest = { read: (_: number, length: number) => new Uint8Array(length), string: () => '' };

for (const [name, call] of Object.entries(syscalls)) {
  if (call.server === 'kernel') continue;
  test(`${name} becomes ${call.server}.${call.message}`, () => {
    const declared = protocols[call.server].calls[call.message];
    expect(declared).toBeDefined();
    const constants = call.options.with ?? {};
    for (const [field, kind] of Object.entries(declared.request)) {
      const argument = call.args[field];
      expect(argument !== undefined || field in constants, `${field} is filled`).toBe(true);
      const value: unknown = argument === undefined ? constants[field] : argument.load(zero, 0, guest as never);
      const type = value === null || (typeof value === 'object' && value !== null) ? 'grant' : typeof value;
      const base = kind.kind.replace(/\?$/, '');
      const expected = base === 'grant' ? 'grant' : base === 'u64' ? 'bigint' : base === 'text' ? 'string' : undefined;
      if (value === undefined) expect(kind.kind.endsWith('?'), `${field} may be absent`).toBe(true);
      else if (expected !== undefined) expect(type, field).toBe(expected);
      else if (base === 'i32' || base === 'u32' || base === 'i53') expect(type, field).toBe('number');
    }
    for (const field of Object.keys(constants)) expect(field in declared.request, `constant ${field}`).toBe(true);
  });
}
