/**
 * The functions of the vDSO (vdso(7)) as machine code: they read the clocks without a system call. The time stamp counter
 * counts the nanoseconds of the monotonic clock; the word `base`, in the data page before the code, added to it gives the
 * time of day (timekeeper.ts). Clocks that are not computed so are left to the system call.
 *
 * All are leaf functions that use only registers a call may change.
 */

export interface VdsoFunction {
  readonly name: string;
  /** Offset in the code. */
  readonly start: number;
  readonly length: number;
}

/** CLOCK_MONOTONIC, _RAW, _COARSE and CLOCK_BOOTTIME as bits. */
const MONOTONIC = 0xd2;
/** CLOCK_REALTIME, _COARSE and CLOCK_TAI. */
const REALTIME = 0x821;
/** Of these, the ones whose resolution is not a nanosecond. */
const COARSE = 0x60;

const SYS_CLOCK_GETTIME = 228;
const SYS_CLOCK_GETRES = 229;

const word = (value: number): string =>
  [0, 8, 16, 24].map((shift) => ((value >>> shift) & 0xff).toString(16).padStart(2, '0')).join(' ');

/** One instruction: its bytes in hexadecimal, or a short jump to a label, or a label. */
type Line = string | { readonly jump: string; readonly to: string } | { readonly label: string };

const jump = (opcode: string, to: string): Line => ({ jump: opcode, to });
const label = (name: string): Line => ({ label: name });
const JA = '77';
const JZ = '74';
const JNZ = '75';
const JMP = 'eb';
/** Stands for the distance to `base` at the end of a RIP-relative instruction. */
const BASE = 'base';

const SECONDS_OF_RAX = [
  '31 d2', // xor edx, edx
  `b9 ${word(1_000_000_000)}`, // mov ecx, 1000000000
  '48 f7 f1', // div rcx: seconds in rax, nanoseconds in rdx
];
const COUNTER = [
  '0f 31', // rdtsc
  '48 c1 e2 20', // shl rdx, 32
  '48 09 d0', // or rax, rdx
];
const ADD_BASE = `48 03 05 ${BASE}`; // add rax, [base]
/** The bit of the clock edi in eax; clocks beyond the last go to `call`. */
const CLOCK_BIT: readonly Line[] = [
  '83 ff 0b', // cmp edi, 11
  jump(JA, 'call'),
  'b8 01 00 00 00', // mov eax, 1
  '89 f9', // mov ecx, edi
  'd3 e0', // shl eax, cl
];
const call = (number: number): readonly Line[] => [label('call'), `b8 ${word(number)}`, '0f 05', 'c3'];
const RETURN_0 = ['31 c0', 'c3'];

const functions: Readonly<Record<string, readonly Line[]>> = {
  clock_gettime: [
    ...CLOCK_BIT,
    `a9 ${word(MONOTONIC)}`, // test eax, MONOTONIC
    jump(JNZ, 'monotonic'),
    `a9 ${word(REALTIME)}`,
    jump(JZ, 'call'),
    `4c 8b 05 ${BASE}`, // mov r8, [base]
    jump(JMP, 'read'),
    label('monotonic'),
    '45 31 c0', // xor r8d, r8d
    label('read'),
    ...COUNTER,
    '4c 01 c0', // add rax, r8
    ...SECONDS_OF_RAX,
    '48 89 06', // mov [rsi], rax
    '48 89 56 08', // mov [rsi + 8], rdx
    ...RETURN_0,
    ...call(SYS_CLOCK_GETTIME),
  ],
  clock_getres: [
    ...CLOCK_BIT,
    `a9 ${word((MONOTONIC | REALTIME) & ~COARSE)}`,
    jump(JZ, 'call'),
    '48 85 f6', // test rsi, rsi
    jump(JZ, 'done'),
    '48 c7 06 00 00 00 00', // mov qword [rsi], 0
    '48 c7 46 08 01 00 00 00', // mov qword [rsi + 8], 1
    label('done'),
    ...RETURN_0,
    ...call(SYS_CLOCK_GETRES),
  ],
  gettimeofday: [
    '48 85 ff', // test rdi, rdi
    jump(JZ, 'zone'),
    ...COUNTER,
    ADD_BASE,
    ...SECONDS_OF_RAX,
    '48 89 07', // mov [rdi], rax
    '89 d0', // mov eax, edx
    '31 d2', // xor edx, edx
    `b9 ${word(1000)}`, // mov ecx, 1000
    'f7 f1', // div ecx
    '48 89 47 08', // mov [rdi + 8], rax
    label('zone'),
    '48 85 f6', // test rsi, rsi
    jump(JZ, 'done'),
    '48 c7 06 00 00 00 00', // mov qword [rsi], 0: UTC
    label('done'),
    ...RETURN_0,
  ],
  time: [
    ...COUNTER,
    ADD_BASE,
    ...SECONDS_OF_RAX,
    '48 85 ff', // test rdi, rdi
    jump(JZ, 'done'),
    '48 89 07', // mov [rdi], rax
    label('done'),
    'c3',
  ],
  getcpu: [
    '48 85 ff', // test rdi, rdi
    jump(JZ, 'node'),
    'c7 07 00 00 00 00', // mov dword [rdi], 0
    label('node'),
    '48 85 f6', // test rsi, rsi
    jump(JZ, 'done'),
    'c7 06 00 00 00 00', // mov dword [rsi], 0
    label('done'),
    ...RETURN_0,
  ],
};

/** Assembles one function that starts at `start`, with `base` at the offset `base`. */
const assemble = (lines: readonly Line[], start: number, base: number): number[] => {
  const bytes: number[] = [];
  const labels = new Map<string, number>();
  const jumps: { readonly at: number; readonly to: string }[] = [];
  for (const line of lines) {
    if (typeof line === 'string') {
      const relative = line.endsWith(BASE);
      for (const byte of line.split(' ')) if (byte !== BASE) bytes.push(Number.parseInt(byte, 16));
      if (!relative) continue;
      const distance = base - (start + bytes.length + 4);
      for (const shift of [0, 8, 16, 24]) bytes.push((distance >> shift) & 0xff);
    } else if ('label' in line) labels.set(line.label, bytes.length);
    else {
      bytes.push(Number.parseInt(line.jump, 16), 0);
      jumps.push({ at: bytes.length - 1, to: line.to });
    }
  }
  for (const { at, to } of jumps) bytes[at] = (labels.get(to)! - at - 1) & 0xff;
  return bytes;
};

const ALIGN = 16;

/** All functions, one after the other from `origin` on, with `base` at the offset `base`: both are offsets in the image. */
export const assembleVdso = (
  origin: number,
  base: number,
): { readonly code: Uint8Array; readonly functions: readonly VdsoFunction[] } => {
  const code: number[] = [];
  const placed: VdsoFunction[] = [];
  for (const [name, lines] of Object.entries(functions)) {
    const bytes = assemble(lines, origin + code.length, base);
    placed.push({ name, start: origin + code.length, length: bytes.length });
    code.push(...bytes);
    while (code.length % ALIGN !== 0) code.push(0xcc);
  }
  return { code: Uint8Array.from(code), functions: placed };
};
