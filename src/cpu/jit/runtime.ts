/**
 * Functions by which regions leave, in WebAssembly: they hold the function table, so that regions need not import it.
 * Compiled once; each engine makes an instance when it translates its first region.
 */

import { Trap } from '../engine.ts';
import { intern, type LinkableBody, type Signature, SymbolicBody } from '../interpreter/body.ts';
import { define } from '../interpreter/library.ts';
import { linkModule } from '../interpreter/link.ts';
import { ENDED_TRANSLATED, EXIT_UNRESOLVED, LINK_SOURCE } from '../interpreter/private.ts';
import { HANDLER } from '../interpreter/record.ts';
import { at, FLAG_AUX, FLAG_RESULT } from '../state.ts';
import type { FloatShape } from '../uops.ts';
import { flagKind } from './emitter-flag-values.ts';

const FLOAT_SHAPES: readonly FloatShape[] = ['ss', 'sd', 'ps', 'pd'];

/** What regions import besides helpers. */
export const RUNTIME_IMPORTS: ReadonlyMap<string, Signature> = new Map<string, Signature>([
  // Goes on at an address, with the budget left.
  ['jit.go', { params: ['i64', 'i32'], results: ['i32'] }],
  // Computes the words of the flags from the operands of an operation (emitter-flag-values.ts) and stores them.
  ['jit.flags', { params: ['i64', 'i64', 'i32'], results: [] }],
  // Whether the elements of a shape are zero or normal.
  ...FLOAT_SHAPES.map((shape): [string, Signature] => [`jit.regular.${shape}`, { params: ['v128'], results: ['i32'] }]),
  // As jit.go, with the interpreter's handler for the instruction there, whatever its record says.
  ['jit.interpret', { params: ['i64', 'i32', 'i32'], results: ['i32'] }],
]);

const build = (name: string, emit: (f: SymbolicBody) => void): LinkableBody => {
  const { params, results } = RUNTIME_IMPORTS.get(name)!;
  const f = new SymbolicBody(params, results);
  emit(f);
  return f.link();
};

/** Looks the address up; if it is not decoded, leaves `run` to have that done. */
const find = (f: SymbolicBody, found: number): void => {
  f.get(0).callNamed('lookup').tee(found).op('i32.eqz').if();
  f.i32(at(LINK_SOURCE) | 0)
    .i32(0)
    .mem('i32.store', 0, 2);
  f.get(0).get(1).i32(EXIT_UNRESOLVED).returnCall(intern('exit.at')).end();
};

/** Pushes whether the elements of a shape in parameter 0 are zero or normal. */
function emitRegular(f: SymbolicBody, shape: FloatShape): void {
  const single = shape === 'ss' || shape === 'ps';
  const vector = single ? 'f32x4' : 'f64x2';
  const splat = (value: number): void => {
    const array = single ? new Float32Array(4).fill(value) : new Float64Array(2).fill(value);
    f.v128(new Uint8Array(array.buffer));
  };
  f.get(0);
  if (shape === 'ss' || shape === 'sd') f.lane(`${vector}.extract_lane`, 0).op(`${vector}.splat`);
  f.op(`${vector}.abs`).set(0);
  f.get(0);
  splat(single ? 2 ** -126 : 2 ** -1022);
  f.op(`${vector}.ge`).get(0);
  splat(single ? (2 - 2 ** -23) * 2 ** 127 : Number.MAX_VALUE);
  f.op(`${vector}.le`).op('v128.and').get(0);
  splat(0);
  f.op(`${vector}.eq`)
    .op('v128.or')
    .op(`${single ? 'i32x4' : 'i64x2'}.all_true`);
}

const BODIES = new Map<string, LinkableBody>([
  [
    'jit.go',
    build('jit.go', (f) => {
      const found = f.local('i32');
      f.get(1).i32(0).op('i32.le_s').if();
      f.i32(at(ENDED_TRANSLATED) | 0)
        .i32(1)
        .mem('i32.store', 0, 2);
      f.get(0).get(1).i32(Trap.Budget).returnCall(intern('exit.at')).end();
      find(f, found);
      f.get(found).get(1).get(found).op('i32.add').get(found).mem('i32.load', HANDLER, 2).returnCallIndirect(0);
    }),
  ],
  [
    'jit.flags',
    build('jit.flags', (f) => {
      const r = f.local('i64');
      const carries = f.local('i64');
      const shift = f.local('i64');
      const is = (rule: 'add' | 'sub' | 'logic'): void => {
        f.get(2)
          .i32(0xff)
          .op('i32.and')
          .i32(flagKind(rule, 8) & 0xff)
          .op('i32.eq');
      };
      f.i64(64).get(2).i32(8).op('i32.shr_u').op('i64.extend_i32_u').op('i64.sub').set(shift);
      is('sub');
      f.if().get(0).get(1).op('i64.sub').set(r);
      f.get(r).get(0).get(1).op('i64.xor').get(r).get(1).op('i64.xor').op('i64.and').op('i64.xor').set(carries);
      f.else().get(0).set(r);
      is('add');
      f.if().get(0).get(1).op('i64.add').set(r);
      f.get(0).get(0).get(1).op('i64.xor').get(0).get(r).op('i64.xor').i64(-1).op('i64.xor');
      f.op('i64.and').op('i64.xor').set(carries).end().end();
      f.i32(at(FLAG_RESULT) | 0)
        .get(r)
        .get(shift)
        .op('i64.shl')
        .get(shift)
        .op('i64.shr_s')
        .mem('i64.store', 0, 3);
      f.i32(at(FLAG_AUX) | 0)
        .get(carries)
        .get(shift)
        .op('i64.shl')
        .i64(-4)
        .op('i64.and');
      f.get(carries).i64(8).op('i64.and').op('i64.or').mem('i64.store', 0, 3);
    }),
  ],
  ...FLOAT_SHAPES.map((shape): [string, LinkableBody] => [
    `jit.regular.${shape}`,
    build(`jit.regular.${shape}`, (f) => emitRegular(f, shape)),
  ]),
  [
    'jit.interpret',
    build('jit.interpret', (f) => {
      const found = f.local('i32');
      find(f, found);
      f.get(found).get(1).get(found).op('i32.add').get(2).returnCallIndirect(0);
    }),
  ],
]);

let linked: { module: WebAssembly.Module; imports: readonly string[] } | undefined;

/** The module with these functions. */
export function runtimeModule(): { module: WebAssembly.Module; imports: readonly string[] } {
  if (linked === undefined) {
    const { bytes, imports } = linkModule(
      0,
      [],
      [...BODIES.keys()],
      (name) => {
        const body = BODIES.get(name);
        return body !== undefined ? { body } : define(name);
      },
      intern,
    );
    linked = { module: new WebAssembly.Module(bytes), imports };
  }
  return linked;
}
