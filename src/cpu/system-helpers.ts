/**
 * Helpers of the integer instruction set: CPUID, which reports exactly what the forms implement (x86-64-v2), and RDTSC.
 */
import type { Helper, Machine } from './helpers.ts';
import { GPR, Reg } from './state.ts';

const VENDOR = 'XINIM   CPU ';
const BRAND = 'XINIM x86-64-v2 processor'.padEnd(48, '\0');

/** Bits of leaf 1. */
const bits = (...numbers: number[]): number => numbers.reduce((all, n) => all | (1 << n), 0);
/** SSE3, SSSE3, CX16, SSE4.1, SSE4.2, POPCNT. */
const FEATURES_ECX = bits(0, 9, 13, 19, 20, 23);
/** FPU, TSC, CX8, CMOV, CLFSH, MMX, FXSR, SSE, SSE2. */
const FEATURES_EDX = bits(0, 4, 8, 15, 19, 23, 24, 25, 26);
/** LAHF/SAHF in 64-bit mode. */
const EXTENDED_ECX = bits(0);
/** The shared ones as AMD repeats them, SYSCALL, NX, long mode. */
const EXTENDED_EDX = bits(11, 20, 29);
/** Family 6, model 15, stepping 1. */
const SIGNATURE = 0x0006_0f01;
const CLFLUSH_LINE = (64 / 8) << 8;

const word = (text: string, at: number): number =>
  text.charCodeAt(at) |
  (text.charCodeAt(at + 1) << 8) |
  (text.charCodeAt(at + 2) << 16) |
  (text.charCodeAt(at + 3) << 24);

/** EAX, EBX, ECX, EDX of a leaf. */
function leaf(number: number): readonly [number, number, number, number] {
  switch (number) {
    case 0:
      return [7, word(VENDOR, 0), word(VENDOR, 8), word(VENDOR, 4)];
    case 1:
      return [SIGNATURE, CLFLUSH_LINE | (1 << 16), FEATURES_ECX, FEATURES_EDX | 0];
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
      return [0, 0, 0, 0];
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
      const [eax, ebx, ecx, edx] = leaf(machine.state.getUint32(GPR + Reg.RAX * 8, true));
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
