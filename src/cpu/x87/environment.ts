/** FNSTENV, FLDENV, FNSAVE and FRSTOR: the 14- and 28-byte environments of protected mode (SDM Vol. 1, figures 8-9 and 8-11). */
import { FDP, FIP, FOP, X87 } from '../state.ts';
import { NO_TRAP, type X87Unit } from './unit.ts';

/** The full tag word: two bits a physical register, 0 valid, 1 zero, 2 special, 3 empty. */
const fullTags = (unit: X87Unit): number => {
  const { state } = unit.machine;
  let word = 0;
  for (let r = 0; r < 8; r++) {
    let tag = 3;
    if ((unit.tags & (1 << r)) !== 0) {
      const sig = state.getBigUint64(X87 + r * 16, true);
      const exponent = state.getUint16(X87 + r * 16 + 8, true) & 0x7fff;
      if (exponent === 0 && sig === 0n) tag = 1;
      else if (exponent === 0 || exponent === 0x7fff || sig >> 63n === 0n) tag = 2;
      else tag = 0;
    }
    word |= tag << (r * 2);
  }
  return word;
};

/** Writes the environment, with `save` the registers too, and then masks all exceptions or initialises. Returns a trap or −1. */
export const storeEnvironment = (unit: X87Unit, address: bigint, wide: boolean, save: boolean): number => {
  const { state } = unit.machine;
  const size = wide ? 28 : 14;
  const image = new Uint8Array(size + (save ? 80 : 0));
  const view = new DataView(image.buffer);
  const words = [unit.controlWord, unit.statusWord, fullTags(unit)];
  const fip = state.getUint32(FIP, true);
  const fdp = state.getUint32(FDP, true);
  const fop = state.getUint16(FOP, true) & 0x7ff;
  if (wide) {
    words.forEach((word, i) => {
      view.setUint32(i * 4, word | 0xffff_0000, true);
    });
    view.setUint32(12, fip, true);
    view.setUint32(16, fop << 16, true);
    view.setUint32(20, fdp, true);
    view.setUint32(24, 0xffff_0000, true);
  } else {
    words.forEach((word, i) => {
      view.setUint16(i * 2, word, true);
    });
    view.setUint16(6, fip & 0xffff, true);
    view.setUint16(10, fdp & 0xffff, true);
  }
  if (save) {
    for (let i = 0; i < 8; i++) {
      const value = unit.get(i);
      view.setBigUint64(size + i * 10, value.sig, true);
      view.setUint16(size + i * 10 + 8, value.se, true);
    }
  }
  const trap = unit.machine.writeBytes(address, image);
  if (trap !== NO_TRAP) return trap;
  if (save) {
    unit.initialize();
  } else {
    unit.controlWord |= 0x3f;
  }
  return NO_TRAP;
};

export const loadEnvironment = (unit: X87Unit, address: bigint, wide: boolean, restore: boolean): number => {
  const { state } = unit.machine;
  const size = wide ? 28 : 14;
  const image = new Uint8Array(size + (restore ? 80 : 0));
  const trap = unit.machine.readBytes(address, image);
  if (trap !== NO_TRAP) return trap;
  const view = new DataView(image.buffer);
  const step = wide ? 4 : 2;
  const tagWord = view.getUint16(2 * step, true);
  let tags = 0;
  for (let r = 0; r < 8; r++) if (((tagWord >> (r * 2)) & 3) !== 3) tags |= 1 << r;
  unit.statusWord = view.getUint16(step, true);
  unit.tags = tags;
  state.setBigUint64(FIP, BigInt(wide ? view.getUint32(12, true) : view.getUint16(6, true)), true);
  state.setBigUint64(FDP, BigInt(wide ? view.getUint32(20, true) : view.getUint16(10, true)), true);
  if (restore) {
    for (let i = 0; i < 8; i++) {
      const offset = X87 + ((unit.top + i) & 7) * 16;
      state.setBigUint64(offset, view.getBigUint64(size + i * 10, true), true);
      state.setUint16(offset + 8, view.getUint16(size + i * 10 + 8, true), true);
    }
  }
  unit.controlWord = view.getUint16(0, true);
  return NO_TRAP;
};
