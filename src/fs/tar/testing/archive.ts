/** Tar files in memory, made member by member, for tests: sound ones and others. */
import type { HostFile } from '../../host/file.ts';
import { bytesOf, formatHeader, type Header } from '../header.ts';
import { formatPax } from '../pax.ts';

export interface Piece extends Partial<Header> {
  readonly name: string;
  readonly data?: string;
  /** Records of an extended header before it. */
  readonly pax?: Readonly<Record<string, string>>;
}

const padded = (bytes: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(Math.ceil(bytes.length / 512) * 512);
  whole.set(bytes);
  return whole;
};

const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

const EMPTY: Omit<Header, 'name'> = {
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 1000,
  type: '0',
  linkName: '',
  major: 0,
  minor: 0,
};

/** The bytes of an archive; `data` counts as contents unless a size says otherwise. */
export const archiveBytes = (pieces: readonly Piece[], end = true): Uint8Array => {
  const parts: Uint8Array[] = [];
  for (const { data = '', pax, ...rest } of pieces) {
    if (pax !== undefined) {
      const records = formatPax(Object.entries(pax));
      parts.push(formatHeader({ ...EMPTY, name: 'pax', type: 'x', size: records.length }), padded(records));
    }
    const contents = bytesOf(data);
    const mode = rest.type === '5' ? 0o755 : 0o644;
    parts.push(formatHeader({ ...EMPTY, mode, size: contents.length, ...rest }), padded(contents));
  }
  if (end) parts.push(new Uint8Array(1024));
  return concat(parts);
};

/** Bytes as a file of the host; `size` may lie. */
export const memoryFile = (bytes: Uint8Array, size = bytes.length): HostFile => ({
  name: 'test.tar',
  size,
  read(offset, into) {
    const part = bytes.subarray(offset, offset + into.length);
    into.set(part);
    return part.length;
  },
});

export const archive = (pieces: readonly Piece[]): HostFile => memoryFile(archiveBytes(pieces));
