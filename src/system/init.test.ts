import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { initCode, initProgram } from './init.ts';

const source = new URL('../../guest/init.S', import.meta.url).pathname;

const assemble = (): Uint8Array | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'xinim-init-'));
  try {
    execFileSync('gcc', ['-c', source, '-o', join(folder, 'init.o')], { stdio: 'pipe' });
    execFileSync('objcopy', ['-O', 'binary', '-j', '.text', join(folder, 'init.o'), join(folder, 'init.bin')]);
  } catch {
    return undefined;
  }
  return readFileSync(join(folder, 'init.bin'));
};

const code = assemble();

test.skipIf(code === undefined)('init is what guest/init.S assembles to (needs gcc and objcopy)', () => {
  expect(Buffer.from(initCode()).toString('hex')).toBe(Buffer.from(code!).toString('hex'));
});

test('the file is an ELF64 executable whose entry is its code', () => {
  const file = initProgram();
  const view = new DataView(file.buffer);
  expect([...file.subarray(0, 4)]).toEqual([0x7f, 0x45, 0x4c, 0x46]);
  expect(view.getUint32(24, true)).toBe(0x40_0000 + 120);
  expect(view.getUint32(96, true)).toBe(file.length);
});
