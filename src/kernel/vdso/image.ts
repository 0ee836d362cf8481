/**
 * The vDSO's ELF image (vdso(7)): a shared object of one page with a dynamic symbol table that C libraries look into for
 * `__vdso_clock_gettime` and its like, of version LINUX_2.6. It is made here, when the kernel starts.
 *
 *     ELF header │ program headers │ hash table │ symbols │ strings │ versions │ version definitions │ dynamic │ code
 */
import { ELF_HEADER_BYTES, ET_DYN, PF_R, PF_X, PROGRAM_HEADER_BYTES, PT_DYNAMIC, PT_LOAD } from '../../abi/elf.ts';
import { PAGE_SIZE } from '../../memory/layout.ts';
import { assembleVdso } from './code.ts';

const NAME = 'linux-vdso.so.1';
const VERSION = 'LINUX_2.6';

const SYMBOL_BYTES = 24;
const GLOBAL_FUNCTION = 0x12;
const WEAK_FUNCTION = 0x22;
/** Any section but none: there are no section headers. */
const SECTION = 1;

const DT = {
  HASH: 4,
  STRTAB: 5,
  SYMTAB: 6,
  STRSZ: 10,
  SYMENT: 11,
  SONAME: 14,
  VERSYM: 0x6fff_fff0,
  VERDEF: 0x6fff_fffc,
  VERDEFNUM: 0x6fff_fffd,
} as const;

/** Hash of names and versions (System V gABI, chapter 5). */
export const elfHash = (name: string): number => {
  let hash = 0;
  for (let i = 0; i < name.length; i++) {
    hash = ((hash << 4) + name.charCodeAt(i)) >>> 0;
    const high = (hash & 0xf000_0000) >>> 0;
    hash = (hash ^ (high >>> 24) ^ high) >>> 0;
  }
  return hash;
};

/** Zero-terminated strings, each once, with their offsets. */
class Strings {
  readonly #offsets = new Map<string, number>([['', 0]]);
  #text = '\0';

  offset(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    const at = this.#text.length;
    this.#offsets.set(text, at);
    this.#text += `${text}\0`;
    return at;
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#text, (char) => char.charCodeAt(0));
  }
}

/** A writer at a position that grows. */
class Writer {
  readonly bytes = new Uint8Array(PAGE_SIZE);
  readonly #view = new DataView(this.bytes.buffer);
  at = 0;

  u8(value: number): void {
    this.#view.setUint8(this.at++, value);
  }
  u16(value: number): void {
    this.#view.setUint16(this.at, value, true);
    this.at += 2;
  }
  u32(value: number): void {
    this.#view.setUint32(this.at, value, true);
    this.at += 4;
  }
  u64(value: number): void {
    this.#view.setBigUint64(this.at, BigInt(value), true);
    this.at += 8;
  }
  put(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }
  align(to: number): number {
    this.at = Math.ceil(this.at / to) * to;
    return this.at;
  }
}

const HEADERS = 2;
/** Where the code starts: everything else is before it. */
const CODE = 0x600;

/** The image's page; `base` is where the data word lies, as an offset from the image. */
export const buildVdso = (base: number): Uint8Array => {
  const { code, functions } = assembleVdso(CODE, base);
  const symbols = functions.flatMap(({ name, start, length }) => [
    { name: `__vdso_${name}`, info: GLOBAL_FUNCTION, start, length },
    { name, info: WEAK_FUNCTION, start, length },
  ]);
  const strings = new Strings();
  const w = new Writer();
  w.at = ELF_HEADER_BYTES + HEADERS * PROGRAM_HEADER_BYTES;

  // One bucket: the symbols are few. Symbol 0 is the undefined one.
  const hash = w.align(8);
  w.u32(1);
  w.u32(symbols.length + 1);
  w.u32(1);
  w.u32(0);
  for (let i = 1; i <= symbols.length; i++) w.u32(i < symbols.length ? i + 1 : 0);

  const symbolTable = w.align(8);
  w.at += SYMBOL_BYTES;
  for (const { name, info, start, length } of symbols) {
    w.u32(strings.offset(name));
    w.u8(info);
    w.u8(0);
    w.u16(SECTION);
    w.u64(start);
    w.u64(length);
  }

  // Version 1 is the object itself, 2 that of all symbols.
  const versions = w.align(8);
  w.u16(0);
  for (let i = 0; i < symbols.length; i++) w.u16(2);
  const definitions = w.align(8);
  for (const [index, name] of [NAME, VERSION].entries()) {
    w.u16(1);
    w.u16(index === 0 ? 1 : 0);
    w.u16(index + 1);
    w.u16(1);
    w.u32(elfHash(name));
    w.u32(20);
    w.u32(index === 0 ? 28 : 0);
    w.u32(strings.offset(name));
    w.u32(0);
  }

  const stringTable = w.align(8);
  w.put(strings.bytes);
  const dynamic = w.align(8);
  for (const [tag, value] of [
    [DT.SONAME, strings.offset(NAME)],
    [DT.HASH, hash],
    [DT.STRTAB, stringTable],
    [DT.SYMTAB, symbolTable],
    [DT.STRSZ, strings.bytes.length],
    [DT.SYMENT, SYMBOL_BYTES],
    [DT.VERSYM, versions],
    [DT.VERDEF, definitions],
    [DT.VERDEFNUM, 2],
    [0, 0],
  ]) {
    w.u64(tag);
    w.u64(value);
  }
  const dynamicEnd = w.at;
  if (dynamicEnd > CODE || CODE + code.length > PAGE_SIZE) throw new Error('the vDSO is larger than its page');
  w.at = CODE;
  w.put(code);
  const end = w.at;

  w.at = 0;
  w.put(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  w.u16(ET_DYN);
  w.u16(62);
  w.u32(1);
  w.u64(CODE);
  w.u64(ELF_HEADER_BYTES);
  w.u64(0);
  w.u32(0);
  w.u16(ELF_HEADER_BYTES);
  w.u16(PROGRAM_HEADER_BYTES);
  w.u16(HEADERS);
  w.u16(64);
  w.u16(0);
  w.u16(0);
  for (const [type, flags, start, length, align] of [
    [PT_LOAD, PF_R | PF_X, 0, end, PAGE_SIZE],
    [PT_DYNAMIC, PF_R, dynamic, dynamicEnd - dynamic, 8],
  ]) {
    w.u32(type);
    w.u32(flags);
    w.u64(start);
    w.u64(start);
    w.u64(start);
    w.u64(length);
    w.u64(length);
    w.u64(align);
  }
  return w.bytes;
};
