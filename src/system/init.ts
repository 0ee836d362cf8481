/**
 * The program of PID 1 in the default root, as an ELF file: it reaps orphans and does nothing else. The machine code is
 * that of guest/init.S (a test assembles and compares it where an assembler is at hand).
 */
const CODE =
  '4883ec1048c7042400000100b80e00000031ff4889e631d241ba08000000' +
  '0f05b83d00000048c7c7ffffffff31f6ba010000004531d20f0585c07fe4' +
  'b8800000004889e731f631d241ba080000000f05ebce';

const BASE = 0x40_0000;
const HEADERS = 64 + 56;

export const initCode = (): Uint8Array => Uint8Array.from(CODE.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** A static ELF64 executable with one segment, readable and executable. */
export const initProgram = (): Uint8Array => {
  const code = initCode();
  const file = new Uint8Array(HEADERS + code.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 62, true); // EM_X86_64
  view.setUint32(20, 1, true);
  view.setUint32(24, BASE + HEADERS, true); // entry
  view.setUint32(32, 64, true); // program headers
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 5, true); // R + X
  view.setUint32(80, BASE, true);
  view.setUint32(88, BASE, true);
  view.setUint32(96, file.length, true);
  view.setUint32(104, file.length, true);
  view.setUint32(112, 4096, true);
  file.set(code, HEADERS);
  return file;
};
