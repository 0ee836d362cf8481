/**
 * Helpers that the simd forms call by name (see cpu/helpers.ts). Vector operands and results are in the FLOAT_* slots of
 * the state block.
 */
import { Trap } from '../engine.ts';
import { type Helper, type Machine, NO_TRAP } from '../helpers.ts';
import { FLOAT_A, FLOAT_B, FLOAT_R } from '../state.ts';
import { AREA_SIZE, imageMxcsr, MXCSR_MASK, restoreImage, saveImage } from './fxsave.ts';
import { runSlow } from './slow.ts';
import { compareStrings, crc32 } from './strings.ts';

/** Leaves the mask in FLOAT_R; answers index and flags as forms/sse-string.ts expects them. */
function compare(machine: Machine, immediate: number, lengthA: number, lengthB: number): number {
  const { state } = machine;
  const { bits, maximum, shortA, shortB } = compareStrings(state, FLOAT_A, FLOAT_B, lengthA, lengthB, immediate);
  const expand = (immediate & 0x40) !== 0;
  for (let i = 0; i < 16; i++) {
    const byte = (bits >> (8 * i)) & 0xff;
    const element = (bits >> (maximum === 8 ? i >> 1 : i)) & 1;
    state.setUint8(FLOAT_R + i, expand ? element * 0xff : i < 2 ? byte : 0);
  }
  const lowest = 31 - Math.clz32(bits & -bits);
  const highest = 31 - Math.clz32(bits);
  const index = bits === 0 ? maximum : expand ? highest : lowest;
  const flags = (bits !== 0 ? 1 : 0) | (shortB ? 2 : 0) | (shortA ? 4 : 0) | ((bits & 1) !== 0 ? 8 : 0);
  return index | (flags << 8);
}

/** The whole area must be writable, though its end is left alone; its last byte is touched first. */
function save(machine: Machine, address: bigint, wide: number): number {
  let trap = machine.probeWrite(address + BigInt(AREA_SIZE - 1), 1);
  if (trap === NO_TRAP) trap = machine.probeWrite(address, AREA_SIZE);
  if (trap !== NO_TRAP) return trap;
  return machine.writeBytes(address, saveImage(machine.state, machine.stateBytes, wide !== 0));
}

function restore(machine: Machine, address: bigint, wide: number): number {
  const image = new Uint8Array(AREA_SIZE);
  let trap = machine.readBytes(address + BigInt(AREA_SIZE - 1), image.subarray(0, 1));
  if (trap === NO_TRAP) trap = machine.readBytes(address, image);
  if (trap !== NO_TRAP) return trap;
  if (imageMxcsr(image) > MXCSR_MASK) return Trap.GeneralProtection;
  restoreImage(machine.state, machine.stateBytes, image, wide !== 0);
  return NO_TRAP;
}

export const helpers: Helper[] = [
  {
    name: 'simd.float',
    params: ['i32'],
    result: 'i32',
    create: (machine) => (code: number) => runSlow(machine.state, code),
  },
  {
    name: 'simd.compareStrings',
    params: ['i32', 'i32', 'i32'],
    result: 'i32',
    create: (machine) => (immediate: number, a: number, b: number) => compare(machine, immediate, a, b),
  },
  { name: 'simd.crc32', params: ['i32', 'i32', 'i32', 'i32'], result: 'i32', create: () => crc32 },
  {
    name: 'simd.save',
    params: ['i64', 'i32'],
    result: 'i32',
    create: (machine) => (address: bigint, wide: number) => save(machine, BigInt.asUintN(64, address), wide),
  },
  {
    name: 'simd.restore',
    params: ['i64', 'i32'],
    result: 'i32',
    create: (machine) => (address: bigint, wide: number) => restore(machine, BigInt.asUintN(64, address), wide),
  },
];
