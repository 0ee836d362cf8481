/**
 * Runtime functions for guest memory: accesses that cross a page or that the tags deny, and string instructions that do as
 * many elements as one page each allows. `memory.outside*` are written in TypeScript (machine.ts).
 */
import { READ_TAGS, WRITE_TAGS } from '../../memory/layout.ts';
import { at, SCRATCH } from '../state.ts';
import type { SymbolicBody } from './body.ts';
import { FAULT } from './private.ts';
import { fn, type NamedFunction, type RuntimeFunction } from './runtime-function.ts';

const address = (offset: number): number => at(offset) | 0;

/** Copies `length` (local 1) bytes between guest memory at local 0 and SCRATCH, byte by byte. */
const copyBytes = (f: SymbolicBody, out: boolean): void => {
  const i = f.local('i32');
  f.loop();
  const guest = (): void => {
    f.get(0).op('i32.wrap_i64').get(i).op('i32.add');
  };
  const scratch = (): void => {
    f.get(i).i32(address(SCRATCH)).op('i32.add');
  };
  if (out) {
    guest();
    scratch();
  } else {
    scratch();
    guest();
  }
  f.mem('i32.load8_u').mem('i32.store8');
  f.get(i).i32(1).op('i32.add').tee(i).get(1).op('i32.lt_u').brIf(0).end();
};

/** Pushes whether the tag table denies the page of the address that `push` pushes. */
const denies = (f: SymbolicBody, tags: number, push: () => void): void => {
  push();
  f.i64(10)
    .op('i64.shr_u')
    .op('i32.wrap_i64')
    .i32(0x3f_fffc)
    .op('i32.and')
    .i32(tags | 0)
    .op('i32.or');
  f.mem('i64.load32_s', 0, 2);
  push();
  f.i64(32).op('i64.shr_u').op('i64.xor').i64(-1).op('i64.ne');
};

const slowAccess = (tags: number, outside: string, copy: 'in' | 'out' | 'none'): RuntimeFunction =>
  fn(['i64', 'i32'], [], (f) => {
    denies(f, tags, () => f.get(0));
    denies(f, tags, () => f.get(0).get(1).op('i64.extend_i32_u').op('i64.add').i64(1).op('i64.sub'));
    f.op('i32.or').if();
    f.i32(address(FAULT)).get(0).get(1).callNamed(outside).mem('i32.store', 0, 2);
    f.else();
    if (copy !== 'none') copyBytes(f, copy === 'out');
    f.end();
  });

/** Bytes from the address in local `from` to the end of its page. */
function emitRoom(f: SymbolicBody, from: number, into: number): void {
  f.i64(4096).get(from).i64(4095).op('i64.and').op('i64.sub').set(into);
}

export const SLOW_MEMORY: readonly NamedFunction[] = [
  ['memory.read', slowAccess(READ_TAGS, 'memory.outsideRead', 'in')],
  ['memory.readForWrite', slowAccess(WRITE_TAGS, 'memory.outsideReadForWrite', 'in')],
  ['memory.write', slowAccess(WRITE_TAGS, 'memory.outsideWrite', 'out')],
  ['memory.probeWrite', slowAccess(WRITE_TAGS, 'memory.outsideProbe', 'none')],
  // Elements that were done at once; 0 leaves the work to the single step.
  [
    'string.move',
    fn(['i64', 'i64', 'i64', 'i64'], ['i64'], (f) => {
      // destination, source, count, log2 of the element's bytes
      const room = f.local('i64');
      const other = f.local('i64');
      const bytes = f.local('i64');
      emitRoom(f, 0, room);
      emitRoom(f, 1, other);
      f.get(room).get(other).get(room).get(other).op('i64.lt_u').op('select').get(3).op('i64.shr_u').set(room);
      f.get(room).get(2).get(room).get(2).op('i64.lt_u').op('select').set(room);
      f.get(room).get(3).op('i64.shl').set(bytes);
      f.get(0).get(1).op('i64.sub').get(bytes).op('i64.lt_u');
      denies(f, READ_TAGS, () => f.get(1));
      f.op('i32.or');
      denies(f, WRITE_TAGS, () => f.get(0));
      f.op('i32.or').if().i64(0).return().end();
      f.get(0).op('i32.wrap_i64').get(1).op('i32.wrap_i64').get(bytes).op('i32.wrap_i64').memoryCopy();
      f.get(room);
    }),
  ],
  [
    'string.fill',
    fn(['i64', 'i64', 'i64', 'i64'], ['i64'], (f) => {
      // destination, value, count, log2 of the element's bytes
      const room = f.local('i64');
      emitRoom(f, 0, room);
      f.get(room).get(3).op('i64.shr_u').set(room);
      f.get(room).get(2).get(room).get(2).op('i64.lt_u').op('select').set(room);
      // All bytes of the element must be equal: compare with its lowest byte spread over the element.
      f.get(1).i64(0xff).op('i64.and').i64(0x0101_0101_0101_0101n).op('i64.mul');
      f.i64(64).i64(8).get(3).op('i64.shl').op('i64.sub').op('i64.shr_u').get(1).op('i64.ne');
      denies(f, WRITE_TAGS, () => f.get(0));
      f.op('i32.or').if().i64(0).return().end();
      f.get(0)
        .op('i32.wrap_i64')
        .get(1)
        .op('i32.wrap_i64')
        .get(room)
        .get(3)
        .op('i64.shl')
        .op('i32.wrap_i64')
        .memoryFill();
      f.get(room);
    }),
  ],
];
