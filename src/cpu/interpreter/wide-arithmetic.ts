/** Runtime functions for products of 128 bits and quotients of 128-bit dividends, which WebAssembly lacks. */
import { fn, type NamedFunction } from './runtime-function.ts';

export const WIDE_ARITHMETIC: readonly NamedFunction[] = [
  [
    'multiply.high',
    fn(['i64', 'i64'], ['i64'], (f) => {
      const low = (n: number): void => {
        f.get(n).i64(0xffff_ffff).op('i64.and');
      };
      const high = (n: number): void => {
        f.get(n).i64(32).op('i64.shr_u');
      };
      const t = f.local('i64');
      const w = f.local('i64');
      low(0);
      low(1);
      f.op('i64.mul').i64(32).op('i64.shr_u');
      high(0);
      low(1);
      f.op('i64.mul').op('i64.add').set(t);
      low(0);
      high(1);
      f.op('i64.mul');
      low(t);
      f.op('i64.add').set(w);
      high(0);
      high(1);
      f.op('i64.mul');
      high(t);
      f.op('i64.add');
      high(w);
      f.op('i64.add');
    }),
  ],
  [
    'multiply.highSigned',
    fn(['i64', 'i64'], ['i64'], (f) => {
      f.get(0).get(1).callNamed('multiply.high');
      f.get(0).i64(63).op('i64.shr_s').get(1).op('i64.and').op('i64.sub');
      f.get(1).i64(63).op('i64.shr_s').get(0).op('i64.and').op('i64.sub');
    }),
  ],
  [
    'divide.unsigned128',
    fn(['i64', 'i64', 'i64'], ['i64', 'i64', 'i32'], (f) => {
      const top = f.local('i64');
      const i = f.local('i32');
      f.get(0).op('i64.eqz').if();
      f.get(1).get(2).op('i64.div_u').get(1).get(2).op('i64.rem_u').i32(1).return().end();
      f.get(0).get(2).op('i64.ge_u').if().i64(0).i64(0).i32(0).return().end();
      f.loop();
      f.get(0).i64(63).op('i64.shr_s').set(top);
      f.get(0).i64(1).op('i64.shl').get(1).i64(63).op('i64.shr_u').op('i64.or').set(0);
      f.get(1).i64(1).op('i64.shl').set(1);
      f.get(top).op('i32.wrap_i64').get(0).get(2).op('i64.ge_u').op('i32.or').if();
      f.get(0).get(2).op('i64.sub').set(0).get(1).i64(1).op('i64.or').set(1).end();
      f.get(i).i32(1).op('i32.add').tee(i).i32(64).op('i32.lt_u').brIf(0).end();
      f.get(1).get(0).i32(1);
    }),
  ],
  [
    'divide.signed128',
    fn(['i64', 'i64', 'i64'], ['i64', 'i64', 'i32'], (f) => {
      const quotient = f.local('i64');
      const remainder = f.local('i64');
      const sign = f.local('i64');
      const dividendSign = f.local('i64');
      const fits = f.local('i32');
      f.get(0).i64(63).op('i64.shr_s').tee(dividendSign).get(2).i64(63).op('i64.shr_s').op('i64.xor').set(sign);
      f.get(dividendSign).i64(0).op('i64.ne').if();
      f.get(0).i64(-1).op('i64.xor').get(1).op('i64.eqz').op('i64.extend_i32_u').op('i64.add').set(0);
      f.i64(0).get(1).op('i64.sub').set(1).end();
      f.get(2).i64(0).op('i64.lt_s').if().i64(0).get(2).op('i64.sub').set(2).end();
      f.get(0).get(1).get(2).callNamed('divide.unsigned128').set(fits).set(remainder).set(quotient);
      // The magnitude may reach 2^63 only if the quotient is negative.
      f.get(quotient).get(sign).op('i64.add').i64(0).op('i64.ge_s').get(quotient).op('i64.eqz').op('i32.or');
      f.get(fits).op('i32.and').set(fits);
      f.get(quotient).get(sign).op('i64.xor').get(sign).op('i64.sub');
      f.get(remainder).get(dividendSign).op('i64.xor').get(dividendSign).op('i64.sub');
      f.get(fits);
    }),
  ],
];
