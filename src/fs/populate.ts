/**
 * The records of the VFS message `populate`: many files in one message, for filling the root at boot.
 *
 *     record:  type u8 · mode u32 · uid u32 · gid u32 · rdev u32 · mtime f64 (seconds; NaN: now) ·
 *              path length u32 · target length u32 · data offset f64 · data length u32 · path · target
 *
 * All little-endian. `encodePopulate` is the sender's side, `decodePopulate` the VFS's.
 */
export interface PopulateEntry {
  /** Absolute path, one char a byte. Parents come first; those that are missing are made with mode 755. */
  readonly path: string;
  readonly type: 'directory' | 'file' | 'symlink' | 'link' | 'character' | 'block' | 'fifo';
  /** Permission bits. */
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since the epoch; the present if absent. */
  readonly mtime?: number;
  /** Symbolic links: their text. Links: the path of the existing file. */
  readonly target?: string;
  readonly data?: Uint8Array;
  readonly rdev?: number;
}

const TYPES: readonly PopulateEntry['type'][] = ['directory', 'file', 'symlink', 'link', 'character', 'block', 'fifo'];
const HEADER = 1 + 4 * 4 + 8 + 4 + 4 + 8 + 4;

const put = (into: Uint8Array, at: number, text: string): void => {
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
};

/** Paths have at most 4,095 chars, so that they can be arguments. */
const take = (from: Uint8Array, at: number, length: number): string => {
  const bytes = from.subarray(at, at + length);
  if (length <= 4096) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
};

/** The two buffers of the message: records, and the files' data one behind the other. */
export const encodePopulate = (list: readonly PopulateEntry[]): { entries: Uint8Array; data: Uint8Array } => {
  let size = 0;
  let dataSize = 0;
  for (const entry of list) {
    size += HEADER + entry.path.length + (entry.target?.length ?? 0);
    dataSize += entry.data?.length ?? 0;
  }
  const entries = new Uint8Array(size);
  const view = new DataView(entries.buffer);
  const data = new Uint8Array(dataSize);
  let at = 0;
  let dataAt = 0;
  for (const entry of list) {
    const target = entry.target ?? '';
    view.setUint8(at, TYPES.indexOf(entry.type));
    view.setUint32(at + 1, entry.mode, true);
    view.setUint32(at + 5, entry.uid ?? 0, true);
    view.setUint32(at + 9, entry.gid ?? 0, true);
    view.setUint32(at + 13, entry.rdev ?? 0, true);
    view.setFloat64(at + 17, entry.mtime ?? Number.NaN, true);
    view.setUint32(at + 25, entry.path.length, true);
    view.setUint32(at + 29, target.length, true);
    view.setFloat64(at + 33, dataAt, true);
    view.setUint32(at + 41, entry.data?.length ?? 0, true);
    put(entries, at + HEADER, entry.path);
    put(entries, at + HEADER + entry.path.length, target);
    at += HEADER + entry.path.length + target.length;
    if (entry.data !== undefined) {
      data.set(entry.data, dataAt);
      dataAt += entry.data.length;
    }
  }
  return { entries, data };
};

/** A record as the VFS reads it: data by its place in the data buffer. */
export interface PopulateRecord {
  readonly type: PopulateEntry['type'];
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly mtime: number;
  readonly target: string;
  readonly dataOffset: number;
  readonly dataLength: number;
}

/** Undefined if the bytes are not whole records. */
export const decodePopulate = (entries: Uint8Array): PopulateRecord[] | undefined => {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  const records: PopulateRecord[] = [];
  for (let at = 0; at < entries.length; ) {
    if (at + HEADER > entries.length) return undefined;
    const pathLength = view.getUint32(at + 25, true);
    const targetLength = view.getUint32(at + 29, true);
    const type = TYPES[view.getUint8(at)];
    if (type === undefined || at + HEADER + pathLength + targetLength > entries.length) return undefined;
    records.push({
      type,
      mode: view.getUint32(at + 1, true),
      uid: view.getUint32(at + 5, true),
      gid: view.getUint32(at + 9, true),
      rdev: view.getUint32(at + 13, true),
      mtime: view.getFloat64(at + 17, true),
      dataOffset: view.getFloat64(at + 33, true),
      dataLength: view.getUint32(at + 41, true),
      path: take(entries, at + HEADER, pathLength),
      target: take(entries, at + HEADER + pathLength, targetLength),
    });
    at += HEADER + pathLength + targetLength;
  }
  return records;
};
