/** A smallest useful ELF program, built field by field so that tests can damage any of them. */
export interface SegmentSpec {
  readonly type?: number;
  readonly flags?: number;
  readonly offset: bigint;
  readonly address: bigint;
  readonly fileSize: bigint;
  readonly memorySize: bigint;
  readonly align?: bigint;
}

export interface ElfSpec {
  readonly type?: number;
  readonly entry: bigint;
  readonly segments: readonly SegmentSpec[];
  /** What stands in the file, by offset. */
  readonly content: readonly (readonly [offset: number, bytes: readonly number[]])[];
  readonly size?: number;
}

export const buildElf = ({ type = 2, entry, segments, content, size = 0 }: ElfSpec): Uint8Array => {
  const end = content.reduce((all, [offset, bytes]) => Math.max(all, offset + bytes.length), 64 + 56 * segments.length);
  const file = new Uint8Array(Math.max(end, size));
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, type, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, entry, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  segments.forEach((segment, index) => {
    const at = 64 + index * 56;
    view.setUint32(at, segment.type ?? 1, true);
    view.setUint32(at + 4, segment.flags ?? 7, true);
    view.setBigUint64(at + 8, segment.offset, true);
    view.setBigUint64(at + 16, segment.address, true);
    view.setBigUint64(at + 24, segment.address, true);
    view.setBigUint64(at + 32, segment.fileSize, true);
    view.setBigUint64(at + 40, segment.memorySize, true);
    view.setBigUint64(at + 48, segment.align ?? 0x1000n, true);
  });
  for (const [offset, bytes] of content) file.set(bytes, offset);
  return file;
};

/** mov edi, status; mov eax, 60; syscall. */
export const exitCode = (status: number): number[] => [0xbf, status, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05];

/** Text at 0x400000 that exits with `status`, data and bss at 0x402000. */
export const smallElf = (status = 42): Uint8Array =>
  buildElf({
    entry: 0x40_0100n,
    segments: [
      { offset: 0n, address: 0x40_0000n, fileSize: 0x120n, memorySize: 0x120n, flags: 5 },
      { offset: 0x120n, address: 0x40_2120n, fileSize: 0x10n, memorySize: 0x2000n, flags: 6 },
    ],
    content: [
      [0x100, exitCode(status)],
      [0x120, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]],
    ],
  });
