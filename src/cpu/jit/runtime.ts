/**
 * Functions by which regions leave, in WebAssembly: they hold the function table, so that regions need not import it.
 * Compiled once; each engine makes an instance when it translates its first region.
 */

import { Trap } from '../engine.ts';
import { intern, type LinkableBody, type Signature, SymbolicBody } from '../interpreter/body.ts';
import { define } from '../interpreter/library.ts';
import { linkModule } from '../interpreter/link.ts';
import { EXIT_UNRESOLVED, LINK_SOURCE } from '../interpreter/private.ts';
import { HANDLER } from '../interpreter/record.ts';
import { at } from '../state.ts';

/** What regions import besides helpers. */
export const RUNTIME_IMPORTS: ReadonlyMap<string, Signature> = new Map<string, Signature>([
  // Goes on at an address, with the budget left.
  ['jit.go', { params: ['i64', 'i32'], results: ['i32'] }],
  // As above, with the interpreter's handler for the instruction there, whatever its record says.
  // Whether tags at an address refuse an access of this length that may go into the next page.
  ['jit.denied', { params: ['i64', 'i32', 'i32'], results: ['i32'] }],
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

const BODIES = new Map<string, LinkableBody>([
  [
    'jit.go',
    build('jit.go', (f) => {
      const found = f.local('i32');
      f.get(1).i32(0).op('i32.le_s').if();
      f.get(0).get(1).i32(Trap.Budget).returnCall(intern('exit.at')).end();
      find(f, found);
      f.get(found).get(1).get(found).op('i32.add').get(found).mem('i32.load', HANDLER, 2).returnCallIndirect(0);
    }),
  ],
  [
    'jit.denied',
    build('jit.denied', (f) => {
      const end = f.local('i64');
      const denied = (local: number): void => {
        f.get(local).i64(10).op('i64.shr_u').op('i32.wrap_i64').i32(0x3f_fffc).op('i32.and');
        f.get(2).op('i32.or').mem('i64.load32_s', 0, 2);
        f.get(local).i64(32).op('i64.shr_u').op('i64.xor').i64(-1).op('i64.ne');
      };
      f.get(0).get(1).op('i64.extend_i32_u').op('i64.add').i64(1).op('i64.sub').set(end);
      denied(0);
      denied(end);
      f.op('i32.or');
      // The last slot before the tags has no neighbour.
      f.get(end).op('i32.wrap_i64').get(0).op('i32.wrap_i64').op('i32.lt_u').op('i32.or');
    }),
  ],
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
