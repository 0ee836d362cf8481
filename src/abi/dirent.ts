/**
 * Directory records of getdents(2) and getdents64(2), and the type codes of <dirent.h>.
 *
 *     linux_dirent64: ino u64, off i64, reclen u16, type u8, name…, NUL, padded to 8
 *     linux_dirent:   ino u64, off u64, reclen u16, name…, NUL, padding, type u8 (last byte of the record)
 */
export const DT_UNKNOWN = 0;

/** The type code is the file type of the mode. */
export const typeOfMode = (mode: number): number => (mode >>> 12) & 0xf;

export const direntLength = (name: string, wide: boolean): number =>
  wide ? (19 + name.length + 1 + 7) & ~7 : (18 + name.length + 2 + 7) & ~7;

/** Writes one record at `at`; the caller has checked that `direntLength` bytes are there. */
export const writeDirent = (
  into: Uint8Array,
  at: number,
  ino: number,
  offset: number,
  type: number,
  name: string,
  wide: boolean,
): void => {
  const length = direntLength(name, wide);
  const view = new DataView(into.buffer, into.byteOffset + at, length);
  view.setBigUint64(0, BigInt(ino), true);
  view.setBigInt64(8, BigInt(offset), true);
  view.setUint16(16, length, true);
  const start = at + (wide ? 19 : 18);
  if (wide) into[at + 18] = type;
  for (let i = 0; i < name.length; i++) into[start + i] = name.charCodeAt(i);
  into.fill(0, start + name.length, at + length);
  if (!wide) into[at + length - 1] = type;
};
