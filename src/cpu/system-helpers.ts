/**
 * Helpers of the integer instruction set: CPUID, which reports exactly what the forms implement (x86-64-v2), and RDTSC.
 */
import { bits, FEATURES_ECX, FEATURES_EDX } from './features.ts';
import type { Helper, Machine } from './helpers.ts';
import { GPR, Reg } from './state.ts';

/**
 * The C library of most systems (glibc 2.33 and later) looks at features of processors of the makers it knows only, and
 * then refuses to start on the others. So this is a processor of the generation that defined x86-64-v2.
 */
const VENDOR = 'GenuineIntel';
const BRAND = 'XINIM x86-64-v2 processor'.padEnd(48, '\0');

/** LAHF/SAHF in 64-bit mode. */
const EXTENDED_ECX = bits(0);
/** The shared ones as AMD repeats them, SYSCALL, NX, long mode. */
const EXTENDED_EDX = bits(11, 20, 29);
/** Family 6, model 0x1a, stepping 5. */
const SIGNATURE = 0x0001_06a5;
const CLFLUSH_LINE = (64 / 8) << 8;

const word = (text: string, at: number): number =>
  text.charCodeAt(at) |
  (text.charCodeAt(at + 1) << 8) |
  (text.charCodeAt(at + 2) << 16) |
  (text.charCodeAt(at + 3) << 24);

type Leaf = readonly [eax: number, ebx: number, ecx: number, edx: number];

/** Leaf 2: 32 KiB of data and of instruction cache, 256 KiB and 8 MiB behind them, as descriptors (SDM, table 3-12). */
const CACHE_DESCRIPTORS: Leaf = [0x2130_2c01, 0xe4, 0, 0];

/** A subleaf of leaf 4: a cache with 64-byte lines. */
const cache = (kind: 1 | 2 | 3, level: number, ways: number, sets: number): Leaf => [
  0x100 | (level << 5) | kind,
  ((ways - 1) << 22) | 63,
  sets - 1,
  0,
];
/** The same caches. */
const CACHES: readonly Leaf[] = [cache(1, 1, 8, 64), cache(2, 1, 4, 128), cache(3, 2, 8, 512), cache(3, 3, 16, 8192)];
const NOTHING: Leaf = [0, 0, 0, 0];

/** EAX, EBX, ECX, EDX of a leaf. */
function leaf(number: number, subleaf: number): Leaf {
  switch (number) {
    case 0:
      return [7, word(VENDOR, 0), word(VENDOR, 8), word(VENDOR, 4)];
    case 1:
      return [SIGNATURE, CLFLUSH_LINE | (1 << 16), FEATURES_ECX, FEATURES_EDX];
    case 2:
      return CACHE_DESCRIPTORS;
    case 4:
      return CACHES[subleaf] ?? NOTHING;
    case 0x8000_0000:
      return [0x8000_0008 | 0, word(VENDOR, 0), word(VENDOR, 8), word(VENDOR, 4)];
    case 0x8000_0001:
      return [SIGNATURE, 0, EXTENDED_ECX, EXTENDED_EDX];
    case 0x8000_0002:
    case 0x8000_0003:
    case 0x8000_0004: {
      const at = (number - 0x8000_0002) * 16;
      return [word(BRAND, at), word(BRAND, at + 4), word(BRAND, at + 8), word(BRAND, at + 12)];
    }
    case 0x8000_0008:
      // 40 physical and 48 linear address bits.
      return [0x3028, 0, 0, 0];
    default:
      return NOTHING;
  }
}

const setRegister = (machine: Machine, register: Reg, value: number): void => {
  machine.state.setUint32(GPR + register * 8, value, true);
  machine.state.setUint32(GPR + register * 8 + 4, 0, true);
};

export const helpers: Helper[] = [
  {
    name: 'cpu.identify',
    params: [],
    create: (machine) => () => {
      const { state } = machine;
      const number = state.getUint32(GPR + Reg.RAX * 8, true);
      const [eax, ebx, ecx, edx] = leaf(number, state.getUint32(GPR + Reg.RCX * 8, true));
      setRegister(machine, Reg.RAX, eax);
      setRegister(machine, Reg.RBX, ebx);
      setRegister(machine, Reg.RCX, ecx);
      setRegister(machine, Reg.RDX, edx);
    },
  },
  {
    name: 'cpu.timestamp',
    params: [],
    create: (machine) => () => {
      const now = BigInt.asUintN(64, machine.timestamp());
      setRegister(machine, Reg.RAX, Number(now & 0xffff_ffffn));
      setRegister(machine, Reg.RDX, Number(now >> 32n));
    },
  },
];
