/**
 * Runtime functions of generated code, in WebAssembly: leaving a handler, resolving transfers, the table of records, and
 * the entry `run`; memory and arithmetic stand in slow-memory.ts and wide-arithmetic.ts. They come along with every module
 * that reaches them.
 *
 * Functions that modules import from TypeScript (`IMPORTED`): `memory.outside*`, which serve what the tags do not allow.
 */
import { floatFunctions } from '../simd/float.ts';
import { at, FLOAT_TRAP, RETIRED, RIP } from '../state.ts';
import { intern, type Signature, type SymbolicBody } from './body.ts';
import {
  BUDGET_LEFT,
  EXIT_UNRESOLVED,
  FAULT,
  HASH_GROUP_BITS,
  HASH_GROUP_MASK,
  HASH_MASK,
  HASH_MULTIPLIER,
  HASH_SHIFT,
  HASH_TABLE,
  LINK_SOURCE,
} from './private.ts';
import { ADDRESS, CONTINUE_HANDLER, HANDLER, IMMEDIATE, LENGTH, LINK, RECORD_SIZE } from './record.ts';
import { fn, type RuntimeFunction } from './runtime-function.ts';
import { SLOW_MEMORY } from './slow-memory.ts';
import { WIDE_ARITHMETIC } from './wide-arithmetic.ts';

const address = (offset: number): number => at(offset) | 0;
/** Handlers have type 0 in every module. */
const HANDLER_TYPE_INDEX = 0;
/** No entry is farther from its hash than this, as long as a third of the table is free. */
const MAX_PROBES = 10_000;

/** Continues at the record in local `found` with `left` bytes of budget. */
const transfer = (f: SymbolicBody, found: number, left: number): void => {
  f.get(found).get(left).get(found).op('i32.add');
  f.get(found).mem('i32.load', HANDLER, 2).returnCallIndirect(HANDLER_TYPE_INDEX);
};

/** Parameters: record, horizon, target. Retires the instruction, looks the target up and goes there. */
const emitJump = (f: SymbolicBody, target: number, patch: boolean): void => {
  const left = f.local('i32');
  const found = f.local('i32');
  f.get(1).get(0).op('i32.sub').i32(RECORD_SIZE).op('i32.sub').set(left);
  f.get(target).callNamed('lookup').tee(found).op('i32.eqz').if();
  f.i32(address(LINK_SOURCE));
  if (patch) f.get(0);
  else f.i32(0);
  f.mem('i32.store', 0, 2);
  f.get(target).get(left).i32(EXIT_UNRESOLVED).returnCall(intern('exit.at')).end();
  if (patch) f.get(0).get(found).mem('i32.store', LINK, 2);
  f.get(left).i32(0).op('i32.le_s').if();
  f.get(target).get(left).i32(0).returnCall(intern('exit.at')).end();
  transfer(f, found, left);
};

/** Pushes the first entry of the hash table for the address in local `target`. */
export const hash = (f: SymbolicBody, target: number): void => {
  f.get(target).op('i32.wrap_i64').i32(HASH_GROUP_MASK).op('i32.and');
  f.get(target).op('i32.wrap_i64').i32(HASH_GROUP_BITS).op('i32.shr_u');
  f.i32(HASH_MULTIPLIER | 0)
    .op('i32.mul')
    .i32(HASH_SHIFT)
    .op('i32.shr_u');
  f.i32(HASH_GROUP_BITS).op('i32.shl').op('i32.or');
};

export const entryAddress = (f: SymbolicBody, index: number): void => {
  f.get(index).i32(HASH_MASK).op('i32.and').i32(2).op('i32.shl').i32(address(HASH_TABLE)).op('i32.add');
};

/** Moves on to the next entry of a probe sequence: steps of 1, 2, 3 … reach every entry. */
const probeNext = (f: SymbolicBody, index: number, step: number): void => {
  f.get(step).i32(1).op('i32.add').tee(step).get(index).op('i32.add').set(index);
};

/** Pushes the address of the record in local `record`, taking dropped records into account. */
const recordAddress = (f: SymbolicBody, record: number): void => {
  f.get(record).mem('i64.load', IMMEDIATE, 3).get(record).mem('i64.load', ADDRESS, 3);
  f.get(record).mem('i64.load', ADDRESS, 3).i64(-1).op('i64.eq').op('select');
};

export const RUNTIME: ReadonlyMap<string, RuntimeFunction> = new Map<string, RuntimeFunction>([
  // ── Leaving ─────────────────────────────────────────────────────────────────────────────────────────────────────
  [
    'exit.at',
    fn(['i64', 'i32', 'i32'], ['i32'], (f) => {
      f.i32(address(RIP)).get(0).mem('i64.store', 0, 3);
      f.i32(address(BUDGET_LEFT)).get(1).mem('i32.store', 0, 2);
      f.get(2);
    }),
  ],
  [
    'exit.fault',
    fn(['i32', 'i32', 'i32'], ['i32'], (f) => {
      f.get(0).mem('i64.load', ADDRESS, 3).get(1).get(0).op('i32.sub').get(2).callNamed('exit.at');
    }),
  ],
  [
    'exit.retire',
    fn(['i32', 'i32', 'i32'], ['i32'], (f) => {
      f.get(0).mem('i64.load', ADDRESS, 3).get(0).mem('i64.load8_u', LENGTH).op('i64.add');
      f.get(1).get(0).op('i32.sub').i32(RECORD_SIZE).op('i32.sub').get(2).callNamed('exit.at');
    }),
  ],
  [
    'exit.memory',
    fn(['i32', 'i32'], ['i32'], (f) => {
      f.get(0).get(1).i32(address(FAULT)).mem('i32.load', 0, 2);
      f.i32(address(FAULT)).i32(0).mem('i32.store', 0, 2).callNamed('exit.fault');
    }),
  ],
  [
    'exit.float',
    fn(['i32', 'i32'], ['i32'], (f) => {
      f.get(0).get(1).i32(address(FLOAT_TRAP)).mem('i32.load', 0, 2).i32(1).op('i32.sub');
      f.i32(address(FLOAT_TRAP)).i32(0).mem('i32.store', 0, 2).callNamed('exit.fault');
    }),
  ],
  // ── Transfers ───────────────────────────────────────────────────────────────────────────────────────────────────
  ['jump.indirect', fn(['i32', 'i32', 'i64'], ['i32'], (f) => emitJump(f, 2, false))],
  [
    'jump.resolve',
    fn(['i32', 'i32'], ['i32'], (f) => {
      const target = f.local('i64');
      f.get(0).mem('i64.load', IMMEDIATE, 3).set(target);
      emitJump(f, target, true);
    }),
  ],
  [
    'lookup',
    fn(['i64'], ['i32'], (f) => {
      const index = f.local('i32');
      const record = f.local('i32');
      const step = f.local('i32');
      hash(f, 0);
      f.set(index).loop();
      entryAddress(f, index);
      f.mem('i32.load', 0, 2).tee(record).op('i32.eqz').if().i32(0).return().end();
      f.get(record).mem('i64.load', ADDRESS, 3).get(0).op('i64.eq').if().get(record).return().end();
      probeNext(f, index, step);
      f.br(0).end().op('unreachable');
    }),
  ],
  [
    'insert',
    fn(['i32', 'i32'], [], (f) => {
      // Enters the records of [first, end); dropped ones too, for `clear` to find.
      const target = f.local('i64');
      const index = f.local('i32');
      const step = f.local('i32');
      f.block().loop().get(0).get(1).op('i32.ge_u').brIf(1);
      f.get(0).mem('i32.load', HANDLER, 2).i32(CONTINUE_HANDLER).op('i32.ne').if();
      recordAddress(f, 0);
      f.set(target).i32(0).set(step);
      hash(f, target);
      f.set(index).block().loop();
      entryAddress(f, index);
      f.mem('i32.load', 0, 2).op('i32.eqz').brIf(1);
      probeNext(f, index, step);
      f.br(0).end().end();
      entryAddress(f, index);
      f.get(0).mem('i32.store', 0, 2).end();
      f.get(0).i32(RECORD_SIZE).op('i32.add').set(0).br(0).end().end();
    }),
  ],
  [
    'clear',
    fn(['i32', 'i32'], [], (f) => {
      // Removes the records of [first, end), which are all there are.
      const target = f.local('i64');
      const index = f.local('i32');
      const step = f.local('i32');
      f.block().loop().get(0).get(1).op('i32.ge_u').brIf(1);
      f.get(0).mem('i32.load', HANDLER, 2).i32(CONTINUE_HANDLER).op('i32.ne').if();
      recordAddress(f, 0);
      f.set(target).i32(0).set(step);
      hash(f, target);
      f.set(index).block().loop().get(step).i32(MAX_PROBES).op('i32.ge_u').brIf(1);
      entryAddress(f, index);
      f.mem('i32.load', 0, 2).get(0).op('i32.eq').if();
      entryAddress(f, index);
      f.i32(0).mem('i32.store', 0, 2).br(2).end();
      probeNext(f, index, step);
      f.br(0).end().end().end();
      f.get(0).i32(RECORD_SIZE).op('i32.add').set(0).br(0).end().end();
    }),
  ],
  // ── Entry ───────────────────────────────────────────────────────────────────────────────────────────────────────
  [
    'run',
    fn(['i32'], ['i32'], (f) => {
      // Parameter: budget in bytes of records. Runs from RIP.
      const record = f.local('i32');
      f.i32(address(RIP)).mem('i64.load', 0, 3).callNamed('lookup').tee(record).op('i32.eqz').if();
      f.i32(address(LINK_SOURCE)).i32(0).mem('i32.store', 0, 2);
      f.i32(address(BUDGET_LEFT)).get(0).mem('i32.store', 0, 2);
      f.i32(EXIT_UNRESOLVED).return().end();
      f.get(record).get(0).callNamed('runRecord');
    }),
  ],
  [
    'runRecord',
    fn(['i32', 'i32'], ['i32'], (f) => {
      // Parameters: record, budget in bytes of records.
      const code = f.local('i32');
      f.get(0)
        .get(0)
        .get(1)
        .op('i32.add')
        .get(0)
        .mem('i32.load', HANDLER, 2)
        .callIndirect(HANDLER_TYPE_INDEX)
        .set(code);
      f.i32(address(RETIRED)).i32(address(RETIRED)).mem('i64.load', 0, 3);
      f.get(1).i32(address(BUDGET_LEFT)).mem('i32.load', 0, 2).op('i32.sub').i32(RECORD_SIZE).op('i32.div_s');
      f.op('i64.extend_i32_s').op('i64.add').mem('i64.store', 0, 3);
      f.get(code);
    }),
  ],
  ...SLOW_MEMORY,
  ...WIDE_ARITHMETIC,
]);

/** Functions written in TypeScript that runtime functions need, besides helpers. */
export const IMPORTED: ReadonlyMap<string, Signature> = new Map(
  ['memory.outsideRead', 'memory.outsideReadForWrite', 'memory.outsideWrite', 'memory.outsideProbe'].map((name) => [
    name,
    { params: ['i64', 'i32'], results: ['i32'] },
  ]),
);

/** Arithmetic under MXCSR (cpu/simd/float.ts). */
export const FLOAT_FUNCTIONS: ReadonlyMap<string, RuntimeFunction> = new Map(
  Object.entries(floatFunctions).map(([name, emit]) => [
    name,
    fn(['v128', 'v128'], ['v128'], (f) => emit(f, { slow: intern('simd.float') })),
  ]),
);

/** Functions that the base module exports. */
export const EXPORTED = ['run', 'runRecord', 'lookup', 'insert', 'clear'] as const;
