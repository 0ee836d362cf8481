/**
 * The members of an uncompressed tar file, one after the other, without their contents: `readMembers`. Understands old
 * (V7) headers, ustar, GNU long names and links, and pax headers (path, linkpath, size, uid, gid, mtime, SCHILY.xattr.*).
 *
 * Every archive is taken for hostile: whatever is not understood is an ArchiveError that names the member, lengths are
 * checked against the file, and what must be kept in memory is bounded.
 */
import { Errno } from '../../abi/errno.ts';
import type { HostFile } from '../host/file.ts';
import { ArchiveError, BLOCK, byteString, type Header, parseHeader } from './header.ts';
import { parsePax } from './pax.ts';

export interface Member {
  /** As in the archive: perhaps with `./` before it or `/` behind it. */
  readonly name: string;
  /** Type code of the header: 0 file, 1 hard link, 2 symbolic link, 3 character, 4 block device, 5 directory, 6 FIFO. */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds, with a fraction. */
  readonly mtime: number;
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
  /** Where the contents start in the file. */
  readonly offset: number;
  /** Extended attributes by name. */
  readonly xattrs?: ReadonlyMap<string, string>;
}

/** An extended header, or a long name, of more bytes than this is no honest one. */
const EXTENSION_MAX = 1 << 20;
const WINDOW = 1 << 14;
const XATTR = 'SCHILY.xattr.';
const KNOWN = '0123456';

/** Reads a file in windows: the headers of small members come many at a time. */
class Window {
  readonly #file: HostFile;
  readonly #buffer = new Uint8Array(WINDOW);
  #start = 0;
  #length = 0;

  constructor(file: HostFile) {
    this.#file = file;
  }

  /** `length` bytes at `offset`; fewer only at the end of the file. Valid until the next call. */
  at(offset: number, length: number): Uint8Array | ArchiveError {
    if (length > WINDOW) return this.#read(offset, new Uint8Array(length));
    if (offset < this.#start || offset + length > this.#start + this.#length) {
      const got = this.#read(offset, this.#buffer);
      if (got instanceof ArchiveError) return got;
      this.#start = offset;
      this.#length = got.length;
    }
    return this.#buffer.subarray(offset - this.#start, Math.min(offset - this.#start + length, this.#length));
  }

  #read(offset: number, into: Uint8Array): Uint8Array | ArchiveError {
    const count = this.#file.read(offset, into);
    if (count instanceof Errno) return new ArchiveError(`reading it fails: ${count.text}`);
    return into.subarray(0, count);
  }
}

/** A decimal number of a pax record; undefined if there is none, NaN if it is bad. */
const decimal = (value: string | undefined, pattern: RegExp): number | undefined =>
  value === undefined ? undefined : pattern.test(value) ? Number(value) : Number.NaN;

const WHOLE = /^\d{1,15}$/;
const TIME = /^-?\d{1,13}(\.\d*)?$/;

/** A header with what extended headers say of it. */
const extend = (
  header: Header,
  offset: number,
  pax: ReadonlyMap<string, string>,
  own: ReadonlyMap<string, string>,
): Member | ArchiveError => {
  const name = own.get('path') ?? header.name;
  let xattrs: Map<string, string> | undefined;
  if (pax.size + own.size > 0)
    for (const [key, value] of [...pax, ...own]) {
      if (key.startsWith('GNU.sparse.'))
        return new ArchiveError(`${name} is sparse, which is not supported: make the archive without --sparse`);
      if (key.startsWith(XATTR)) (xattrs ??= new Map()).set(key.slice(XATTR.length), value);
    }
  const size = decimal(own.get('size'), WHOLE) ?? header.size;
  const uid = decimal(own.get('uid') ?? pax.get('uid'), WHOLE) ?? header.uid;
  const gid = decimal(own.get('gid') ?? pax.get('gid'), WHOLE) ?? header.gid;
  const mtime = decimal(own.get('mtime') ?? pax.get('mtime'), TIME) ?? header.mtime;
  if (Number.isNaN(size + uid + gid + mtime) || uid > 0xffff_fffe || gid > 0xffff_fffe)
    return new ArchiveError(`the extended header of ${name} has a bad number`);
  const { mode, major, minor } = header;
  const type = header.type === '7' ? '0' : header.type;
  return {
    name,
    // Before there was a type for them, directories were files with a slash behind the name.
    type: type === '0' && name.endsWith('/') ? '5' : type,
    mode: mode & 0o7777,
    uid,
    gid,
    size: type === '0' ? size : 0,
    mtime,
    linkName: own.get('linkpath') ?? header.linkName,
    major,
    minor,
    offset,
    xattrs,
  };
};

/**
 * Calls `visit` with each member until it returns an error. Returns the comment of the archive's global header ('' if there
 * is none), or what is wrong.
 */
export const readMembers = (
  file: HostFile,
  visit: (member: Member) => ArchiveError | undefined,
): string | ArchiveError => {
  const window = new Window(file);
  const fail = (error: ArchiveError): ArchiveError => new ArchiveError(`${file.name}: ${error.text}`);
  const global = new Map<string, string>();
  let own: Map<string, string> = new Map();
  let comment = '';
  let at = 0;
  while (at < file.size) {
    const block = window.at(at, BLOCK);
    if (block instanceof ArchiveError) return fail(block);
    if (block.length < BLOCK) return fail(new ArchiveError('it is truncated within a header'));
    const header = parseHeader(block);
    if (header instanceof ArchiveError) return fail(at === 0 ? new ArchiveError('it is not a tar file') : header);
    if (header === undefined) return comment;
    const { type } = header;
    const offset = at + BLOCK;
    if (type === 'x' || type === 'g' || type === 'L' || type === 'K') {
      if (header.size > EXTENSION_MAX) return fail(new ArchiveError('an extended header is too long'));
      const bytes = window.at(offset, header.size);
      if (bytes instanceof ArchiveError) return fail(bytes);
      if (bytes.length < header.size) return fail(new ArchiveError('it is truncated within an extended header'));
      if (type === 'x' || type === 'g') {
        const records = parsePax(bytes);
        if (records instanceof ArchiveError) return fail(records);
        if (type === 'x') own = new Map([...own, ...records]);
        else {
          comment = records.get('comment') ?? comment;
          for (const [key, value] of records) global.set(key, value);
        }
      } else {
        const end = bytes.indexOf(0);
        own.set(type === 'L' ? 'path' : 'linkpath', byteString(end < 0 ? bytes : bytes.subarray(0, end)));
      }
      at = offset + Math.ceil(header.size / BLOCK) * BLOCK;
      continue;
    }
    if (type === 'V') {
      at = offset;
      continue;
    }
    if (type === 'S')
      return fail(
        new ArchiveError(`${header.name} is sparse, which is not supported: make the archive without --sparse`),
      );
    const member = extend(header, offset, global, own);
    if (member instanceof ArchiveError) return fail(member);
    if (!KNOWN.includes(member.type))
      return fail(new ArchiveError(`${member.name} is of type ${JSON.stringify(type)}, which is not known`));
    if (member.size > file.size - offset) return fail(new ArchiveError(`it is truncated within ${member.name}`));
    const refused = visit(member);
    if (refused !== undefined) return fail(refused);
    if (own.size > 0) own = new Map();
    at = offset + Math.ceil(member.size / BLOCK) * BLOCK;
  }
  return comment;
};
