/**
 * What single instructions need of a random state beyond its distribution: stack and string pointers inside the window,
 * counts that end, jump targets that exist, comparands that are sometimes equal, control words without reserved bits.
 * `aimImplied` runs before the ModRM operand's registers are solved, `finish` after.
 */
import { Reg } from '../../src/cpu/state.ts';
import { aimOffset, IMPLIED_MEMORY, isString, pickLanding, STACK_USER } from './encode.ts';
import { FS_BASE_VALUE, GS_BASE_VALUE } from './layout.ts';
import { BASES } from './sequence.ts';
import type { Instance } from './states.ts';

const segmentBase = (instance: Instance): bigint =>
  instance.encoding.segment === 'fs' ? FS_BASE_VALUE : instance.encoding.segment === 'gs' ? GS_BASE_VALUE : 0n;

/** An address in the window for an access of `bytes`. */
const somewhere = (instance: Instance, bytes: number): bigint =>
  instance.boundary + BigInt(aimOffset(instance.random, bytes, instance.half, !instance.plain));

/** Pointer value for an address, with garbage above 32 bits where the address size says that they do not matter. */
function pointer(instance: Instance, address: bigint, base: bigint): bigint {
  const offset = BigInt.asUintN(64, address - base);
  if (!instance.encoding.address32) return offset;
  return BigInt.asUintN(32, offset) | (BigInt(instance.random.chance(50) ? instance.random.u32() >>> 0 : 0) << 32n);
}

const setLow = (instance: Instance, register: number, mask: bigint, value: bigint): void =>
  instance.setRegister(register, (instance.register(register) & ~mask) | (value & mask));

const stringBytes = (instance: Instance): number => {
  const suffix = instance.encoding.form.mnemonic.at(-1);
  if (suffix === 'b') return 1;
  return instance.encoding.width / 8;
};

export function aimImplied(instance: Instance): void {
  const { encoding, random } = instance;
  const { form, width } = encoding;
  const { mnemonic } = form;
  if (encoding.parts !== undefined) {
    for (const register of [Reg.RSP, Reg.RSI, Reg.RDI, ...BASES]) {
      const near = random.chance(instance.plain ? 8 : 30);
      instance.setRegister(
        register,
        instance.boundary + BigInt(near ? random.below(16) - 12 : 8 * (random.below(20) - 10)),
      );
    }
    // Quotients that fit, now and then.
    if (random.chance(50)) instance.setRegister(Reg.RDX, 0n);
    return;
  }
  if (STACK_USER.test(mnemonic) || mnemonic === 'iret') {
    // Room on both sides for pushes and pops.
    const near = random.chance(instance.plain ? 15 : 60);
    const offset = near ? random.below(24) - 8 : random.below(2 * instance.half - 128) - instance.half + 80;
    const address = instance.boundary + BigInt(random.chance(80) ? offset & -8 : offset);
    instance.setRegister(Reg.RSP, random.chance(1) ? address ^ (1n << 50n) : address);
    if (mnemonic === 'leave' || mnemonic === 'enter') instance.setRegister(Reg.RBP, somewhere(instance, 8));
  }
  if (isString(form)) {
    const bytes = stringBytes(instance);
    const base = segmentBase(instance);
    // With GS overridden, only RSI's operand is relative to it: both pointers must be near their own windows.
    instance.setRegister(Reg.RSI, pointer(instance, somewhere(instance, bytes), base));
    instance.setRegister(Reg.RDI, pointer(instance, somewhere(instance, bytes), 0n));
    if (encoding.repeat !== '') {
      const count = BigInt(random.chance(15) ? 0 : random.below(bytes === 1 ? 40 : 10));
      instance.setRegister(Reg.RCX, encoding.address32 && random.chance(50) ? count | (0x12345n << 32n) : count);
      // Repeated comparisons end early unless the data are alike.
      if (random.chance(70)) {
        const value = BigInt(random.below(3)) * 0x0101010101010101n;
        for (let i = 0n; i < BigInt(2 * instance.half); i += 8n) instance.poke(instance.window + i, 8, value);
        if (random.chance(50)) instance.poke(somewhere(instance, 1), 1, 7n);
        if (random.chance(70)) instance.setRegister(Reg.RAX, value);
      }
    }
  } else if (IMPLIED_MEMORY.test(mnemonic)) {
    if (mnemonic.startsWith('xlat')) {
      const address = somewhere(instance, 1) - (instance.register(Reg.RAX) & 0xffn);
      instance.setRegister(Reg.RBX, pointer(instance, address, segmentBase(instance)));
    } else instance.setRegister(Reg.RDI, pointer(instance, somewhere(instance, 16), segmentBase(instance)));
  }
  // Shift counts, before the operand's registers: they may be the same.
  if (/^(sh[lr]d?|sa[lr]|ro[lr]|rc[lr])$/.test(mnemonic) && form.operands.includes('CL') && random.chance(60)) {
    setLow(instance, Reg.RCX, 0xffn, BigInt(random.below(70)));
  }
  if (/^bt[crs]?$/.test(mnemonic) && encoding.reg >= 0 && encoding.memory !== undefined) {
    const mask = (1n << BigInt(width)) - 1n;
    setLow(instance, encoding.reg, mask, BigInt.asUintN(64, BigInt(random.below(512) - 256)));
  }
  if (/^i?div$/.test(mnemonic) && random.chance(80)) divisible(instance, width);
  if (/^v?pcmpestr/.test(mnemonic) && random.chance(85)) {
    setLow(instance, Reg.RAX, 0xffffffffn, BigInt.asUintN(64, BigInt(random.below(40) - 20)));
    setLow(instance, Reg.RDX, 0xffffffffn, BigInt.asUintN(64, BigInt(random.below(40) - 20)));
  }
}

/** Makes the dividend small enough for the quotient to fit mostly. */
function divisible(instance: Instance, width: number): void {
  const { random } = instance;
  if (width === 8) {
    setLow(instance, Reg.RAX, 0xff00n, random.chance(50) ? 0n : BigInt(random.below(256) << 8));
    return;
  }
  const mask = (1n << BigInt(width)) - 1n;
  const negative =
    ((instance.register(Reg.RAX) >> BigInt(width - 1)) & 1n) === 1n && instance.encoding.form.mnemonic === 'idiv';
  setLow(instance, Reg.RDX, mask, random.chance(60) ? (negative ? mask : 0n) : BigInt(random.below(256)));
}

/** Selectors that are not of a code segment for user mode, and the one of this mode. */
const SELECTORS = [0x33n, 0x33n, 0x33n, 0x33n, 0x33n, 0x33n, 0n, 0x10n, 0x2bn, 0x30n, 0x18n, 0x3bn, 0xfffbn];

/** A frame for RETF (RIP, CS) or IRET (RIP, CS, RFLAGS, RSP, SS). */
function farReturn(instance: Instance): void {
  const { encoding, random } = instance;
  const bytes = encoding.width / 8;
  const rsp = instance.register(Reg.RSP);
  const slot = (i: number): bigint => rsp + BigInt(i * bytes);
  let where = BigInt(pickLanding(random));
  if (instance.plain && encoding.width === 64 && random.chance(3)) where |= 1n << 55n;
  // The host may touch more of the stack before it looks at the selector.
  const selector = encoding.form.operands.length > 0 || !instance.plain ? 0x33n : random.pick(SELECTORS);
  instance.poke(slot(0), bytes, where);
  instance.poke(slot(1), bytes, selector);
  if (encoding.form.mnemonic === 'iret') {
    instance.poke(slot(2), bytes, instance.peek(slot(2), bytes) & ~0x54100n);
    instance.poke(slot(4), bytes, 0x2bn);
  }
}

export function finish(instance: Instance): void {
  const { encoding, random, target } = instance;
  const { form, width } = encoding;
  const { mnemonic } = form;
  const direct = form.operands.some((code) => /^J/.test(code));
  if (!direct && /^(jmp|call|ret|retn)$/.test(mnemonic)) {
    let where = BigInt(pickLanding(random));
    // A push that faults as well may come first.
    if (instance.plain && encoding.memory?.base !== Reg.RSP && random.chance(3)) where |= 1n << 55n;
    if (mnemonic.startsWith('ret')) instance.poke(instance.register(Reg.RSP), 8, where);
    else if (target !== undefined) instance.poke(target, 8, where);
    else if (encoding.rm !== Reg.RSP) instance.setRegister(encoding.rm, where);
  }
  const memory = encoding.memory;
  const unused = (register: number): boolean => memory?.base !== register && memory?.index !== register;
  if (mnemonic === 'cmpxchg' && unused(Reg.RAX) && random.chance(50)) {
    const value =
      target !== undefined ? instance.peek(target, width / 8) : encoding.rm >= 0 ? instance.register(encoding.rm) : 0n;
    setLow(instance, Reg.RAX, (1n << BigInt(width)) - 1n, value);
  }
  if ((mnemonic === 'cmpxchg8b' || mnemonic === 'cmpxchg16b') && random.chance(60) && target !== undefined) {
    const bytes = mnemonic === 'cmpxchg8b' && width !== 64 ? 4 : 8;
    if (unused(Reg.RAX) && unused(Reg.RDX)) {
      setLow(instance, Reg.RAX, (1n << BigInt(8 * bytes)) - 1n, instance.peek(target, bytes));
      setLow(instance, Reg.RDX, (1n << BigInt(8 * bytes)) - 1n, instance.peek(target + BigInt(bytes), bytes));
    }
  }
  if (mnemonic === 'retf' || mnemonic === 'iret') farReturn(instance);
  if (mnemonic.startsWith('popf')) {
    const rsp = instance.register(Reg.RSP);
    instance.poke(rsp, 8, instance.peek(rsp, 8) & ~0x54100n);
  }
  if (target === undefined) return;
  const control = (value: bigint): bigint => {
    const word = (value & 0x1f3fn) | 0x40n | (random.chance(80) ? 0x3fn : 0n);
    return (word & 0x300n) === 0x100n ? word | 0x200n : word;
  };
  if (mnemonic === 'ldmxcsr') {
    const value = instance.peek(target, 4);
    instance.poke(target, 4, random.chance(90) ? value & 0xffffn : value & ~0x20000n);
  } else if (mnemonic === 'fldcw') instance.poke(target, 2, control(instance.peek(target, 2)));
  else if (mnemonic === 'fldenv' || mnemonic === 'frstor' || mnemonic.startsWith('fxrstor')) {
    const word = control(BigInt(random.u32() & 0xffff));
    let status = BigInt(random.u32() & 0x7f7f);
    if (random.chance(70)) status &= word | ~0x3fn;
    if ((status & ~word & 0x3fn) !== 0n) status |= 0x8080n;
    instance.poke(target, 2, word);
    const wide = !mnemonic.startsWith('fx');
    instance.poke(target + (wide ? 4n : 2n), 2, status);
    if (!wide) instance.poke(target + 24n, 4, BigInt(random.u32() & (random.chance(95) ? 0xffff : 0x1ffff)));
  }
}
