/** XADD, CMPXCHG, CMPXCHG8B and CMPXCHG16B (SDM Vol. 1, 5.1.1). */
import { Trap } from '../engine.ts';
import { type Form, form, type Lift } from '../forms.ts';
import { Reg } from '../state.ts';
import type { Width } from '../uops.ts';

const exchangeAdd: Lift = (u) => {
  const a = u.readForWrite(0);
  const b = u.read(1);
  const r = u.truncate(u.integer('add', a, b), u.width);
  // With one register as both operands the sum is what stays.
  u.write(1, a);
  u.write(0, r);
  u.setFlags('add', u.width, a, b, r);
};

const compareExchange: Lift = (u) => {
  const { width } = u;
  const a = u.readForWrite(0);
  const accumulator = u.register(Reg.RAX, width);
  const replacement = u.read(1);
  const equal = u.compare('eq', accumulator, a);
  u.setFlags('sub', width, accumulator, a, u.truncate(u.integer('sub', accumulator, a), width));
  u.if(
    equal,
    () => u.write(0, replacement),
    () => {
      // A memory destination is written back: the access is a write whatever the comparison says.
      if (u.isMemory(0)) u.write(0, a);
      u.setRegister(Reg.RAX, width, a);
    },
  );
};

/** Width 32: CMPXCHG8B on EDX:EAX; 64: CMPXCHG16B on RDX:RAX, aligned to 16 bytes. */
const compareExchangeTwo: Lift = (u) => {
  const width = u.width as Width;
  const bytes = width / 8;
  const address = u.address(0);
  if (width === 64) {
    const misaligned = u.toBool(u.integer('and', address, u.constant(15)));
    u.trapIf(misaligned, Trap.GeneralProtection);
  }
  u.prepareStore(address, bytes * 2);
  const upper = u.integer('add', address, u.constant(bytes));
  const low = u.loadForWrite(address, width);
  const high = u.loadForWrite(upper, width);
  const equal = u.wasm(
    'i32.and',
    u.compare('eq', low, u.register(Reg.RAX, width)),
    u.compare('eq', high, u.register(Reg.RDX, width)),
  );
  u.if(
    equal,
    () => {
      u.store(address, width, u.register(Reg.RBX, width));
      u.store(upper, width, u.register(Reg.RCX, width));
    },
    () => {
      u.setRegister(Reg.RAX, width, low);
      u.setRegister(Reg.RDX, width, high);
    },
  );
  u.changeFlags({ zf: equal });
};

export const forms: readonly Form[] = [
  form('0F C0 /r', 'xadd', 'Eb,Gb', exchangeAdd, { lockable: true }),
  form('0F C1 /r', 'xadd', 'Ev,Gv', exchangeAdd, { lockable: true }),
  form('0F B0 /r', 'cmpxchg', 'Eb,Gb', compareExchange, { lockable: true }),
  form('0F B1 /r', 'cmpxchg', 'Ev,Gv', compareExchange, { lockable: true }),
  form('0F C7 /1', 'cmpxchg8b', 'M', compareExchangeTwo, { lockable: true, widths: [32, 64], feature: 'cx16' }),
];
