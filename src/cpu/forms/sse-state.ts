/** MXCSR, FXSAVE and FXRSTOR (SDM Vol. 1, 10.2.3 and 10.5). A reserved bit of MXCSR or a misaligned image raises #GP. */
import { Trap } from '../engine.ts';
import { type Form, type FormOptions, form } from '../forms.ts';
import { MXCSR_MASK } from '../simd/fxsave.ts';
import { i32 } from '../simd/lift.ts';
import { MXCSR } from '../state.ts';

const SSE: FormOptions = { feature: 'sse' };

const image = (opcode: string, mnemonic: string, helper: string): Form =>
  form(
    opcode,
    mnemonic,
    'M',
    (u) => {
      const address = u.address(0);
      const misaligned = u.compare('ne', u.integer('and', address, u.constant(15)), u.constant(0));
      u.trapIf(misaligned, Trap.GeneralProtection);
      u.helperTrap(helper, address, i32(u, u.width === 64 ? 1 : 0));
    },
    { feature: 'fxsr', widths: [32, 64] },
  );

export const forms: readonly Form[] = [
  form(
    'NP 0F AE /2',
    'ldmxcsr',
    'Md',
    (u) => {
      const value = u.read(0);
      const reserved = u.compare('gt_u', value, u.constant(MXCSR_MASK));
      u.trapIf(reserved, Trap.GeneralProtection);
      u.setState(MXCSR, 32, value);
    },
    SSE,
  ),
  form('NP 0F AE /3', 'stmxcsr', 'Md', (u) => u.write(0, u.state(MXCSR, 32)), SSE),
  image('NP 0F AE /0', 'fxsave', 'simd.save'),
  image('NP 0F AE /1', 'fxrstor', 'simd.restore'),
];
