import { expect, test } from 'vitest';
import { parseElfHeader, parseProgramHeaders } from '../../abi/elf.ts';
import { ENOEXEC, Errno } from '../../abi/errno.ts';
import { PIE_BASE } from '../../memory/layout.ts';
import { buildElf, type SegmentSpec } from '../testing/small-elf.ts';
import { type Image, planImage } from './image.ts';

const plan = (segments: readonly SegmentSpec[], type = 2, entry = 0x40_1000n): Image | Errno => {
  const file = buildElf({ type, entry, segments, content: [] });
  const header = parseElfHeader(file);
  if (header instanceof Errno) return header;
  const table = parseProgramHeaders(file.subarray(header.tableOffset), header.tableCount);
  return table instanceof Errno ? table : planImage(header, table, PIE_BASE);
};

const load = (address: bigint, offset: bigint, fileSize: bigint, memorySize = fileSize, flags = 5): SegmentSpec => ({
  address,
  offset,
  fileSize,
  memorySize,
  flags,
});

test('text and data with a tail of zeros and whole zero pages', () => {
  const image = plan([load(0x40_0000n, 0n, 0x1234n), load(0x40_2f00n, 0x1f00n, 0x200n, 0x3000n, 6)]) as Image;
  expect(image.segments).toEqual([
    { start: 0x40_0000, length: 0x2000, protection: 5, file: true, offset: 0 },
    { start: 0x40_2000, length: 0x2000, protection: 3, file: true, offset: 0x1000 },
    { start: 0x40_4000, length: 0x2000, protection: 3, file: false, offset: 0 },
  ]);
  expect(image.tails).toEqual([{ start: 0x40_3100, length: 0xf00, writable: true }]);
  expect(image.headers).toBe(0x40_0040);
  expect(image.entry).toBe(0x40_1000);
  expect(image.end).toBe(0x40_6000);
});

test('a position-independent program is moved to its base', () => {
  const image = plan([load(0n, 0n, 0x100n), load(0x2000n, 0x1000n, 0x10n, 0x10n, 6)], 3, 0x80n) as Image;
  expect(image.segments.map((segment) => segment.start)).toEqual([PIE_BASE, PIE_BASE + 0x2000]);
  expect(image.entry).toBe(PIE_BASE + 0x80);
});

test('bss alone is zero-filled memory', () => {
  const image = plan([load(0x40_0000n, 0n, 0x100n), load(0x50_0010n, 0x10n, 0n, 0x20n, 6)]) as Image;
  expect(image.segments[1]).toEqual({ start: 0x50_0000, length: 0x1000, protection: 3, file: false, offset: 0 });
  expect(image.tails).toEqual([]);
});

const ok = load(0x40_0000n, 0n, 0x100n);
test.each<[string, SegmentSpec[]]>([
  ['no loadable segment', [{ ...ok, type: 4 }]],
  ['more file than memory', [load(0x40_0000n, 0n, 0x200n, 0x100n)]],
  ['address and offset out of step', [load(0x40_0010n, 0n, 0x100n)]],
  ['overlap', [ok, load(0x40_0200n, 0x200n, 0x100n)]],
  ['descending order', [load(0x50_0000n, 0n, 0x100n), ok]],
  ['beyond user space', [load(0x7fff_ffff_f000n, 0n, 0x100n, 0x2000n)]],
  ['kernel half', [load(0xffff_8000_0000_0000n, 0n, 0x100n)]],
  ['wraps', [load(0x40_0000n, 0n, 0x100n, 0xffff_ffff_ffff_f000n)]],
  ['huge file size', [load(0x40_0000n, 0n, 0x7fff_ffff_ffff_ffffn, 0x7fff_ffff_ffff_ffffn)]],
  ['page zero', [load(0n, 0n, 0x100n)]],
])('refused: %s', (_, segments) => {
  expect(plan(segments)).toBeInstanceOf(Errno);
});

test('headers that are no x86-64 program', () => {
  const good = buildElf({ entry: 0n, segments: [ok], content: [] });
  const damaged = (at: number, byte: number): Uint8Array => {
    const copy = good.slice();
    copy[at] = byte;
    return copy;
  };
  expect(parseElfHeader(good)).not.toBeInstanceOf(Errno);
  for (const [at, byte] of [
    [0, 0],
    [4, 1],
    [5, 2],
    [16, 1],
    [18, 3],
    [54, 32],
    [56, 0],
    [57, 0xff],
  ])
    expect(parseElfHeader(damaged(at, byte)), `byte ${at}`).toBe(ENOEXEC);
  expect(parseElfHeader(good.subarray(0, 63))).toBe(ENOEXEC);
  expect(parseProgramHeaders(good.subarray(64, 100), 1)).toBeInstanceOf(Errno);
});
