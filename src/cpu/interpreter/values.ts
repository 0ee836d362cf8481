/**
 * Micro-operations on values alone: constants, integer arithmetic, vectors, variables and `if`. First layer of the
 * interpreter's implementation of `Uops`; each value lives in a WebAssembly local or is a constant.
 */
import type { ValueType } from '../../wasm/module.ts';
import { at } from '../state.ts';
import type { CompareOp, IntegerOp, Value, Variable, Width } from '../uops.ts';
import { SymbolicBody } from './body.ts';
import { HANDLER_TYPE } from './link.ts';

/** Parameters of a handler. */
export const RECORD = 0;
/** Address of the record at which the budget ends, if execution went on in a straight line. */
export const HORIZON = 1;

export class Local implements Value, Variable {
  constructor(
    readonly type: ValueType,
    readonly local: number,
    readonly constant: bigint | undefined,
  ) {}
}

/** Result type of a WebAssembly instruction by its name. */
export function resultType(name: string): ValueType {
  const [prefix, operation] = name.split('.');
  if (/(all_true|any_true|bitmask)$/.test(operation)) return 'i32';
  if (prefix === 'v128' || prefix.includes('x')) {
    if (!operation.startsWith('extract_lane')) return 'v128';
    if (prefix === 'i64x2') return 'i64';
    if (prefix === 'f32x4') return 'f32';
    if (prefix === 'f64x2') return 'f64';
    return 'i32';
  }
  if (/^(eqz|eq|ne|lt|gt|le|ge)(_|$)/.test(operation)) return 'i32';
  return prefix as ValueType;
}

export class ValueEmitter {
  readonly f = new SymbolicBody(HANDLER_TYPE.params, HANDLER_TYPE.results);

  /** Offset of the current instruction's record from the handler's, when several are fused into one. */
  protected base = 0;

  /** Pushes the address of the current instruction's record. */
  pushRecord(): SymbolicBody {
    this.f.get(RECORD);
    if (this.base !== 0) this.f.i32(this.base).op('i32.add');
    return this.f;
  }

  /** Loads a field of the current instruction's record. */
  field(instruction: string, offset: number, align: number): SymbolicBody {
    return this.f.get(RECORD).mem(instruction, offset + this.base, align);
  }

  /** Pushes a value. */
  push(value: Value): SymbolicBody {
    const { type, local, constant } = value as Local;
    if (constant === undefined) this.f.get(local);
    else if (type === 'i32') this.f.i32(Number(constant));
    else this.f.i64(constant);
    return this.f;
  }

  /** Takes the top of the stack as a new value. */
  define(type: ValueType): Local {
    const local = this.f.local(type);
    this.f.set(local);
    return new Local(type, local, undefined);
  }

  /** Pushes a linear address inside the state block. */
  stateAddress(offset: number): void {
    this.f.i32(at(offset) | 0);
  }

  constant(value: bigint | number): Value {
    return new Local('i64', -1, BigInt.asIntN(64, BigInt(value)));
  }

  integer(op: IntegerOp, a: Value, b: Value): Value {
    this.push(a);
    this.push(b);
    this.f.op(`i64.${op}`);
    return this.define('i64');
  }

  compare(op: CompareOp, a: Value, b: Value): Value {
    this.push(a);
    const { constant } = b as Local;
    if (constant === 0n && op === 'eq') this.f.op('i64.eqz');
    else {
      this.push(b);
      this.f.op(`i64.${op}`);
    }
    return this.define('i32');
  }

  count(op: 'clz' | 'ctz' | 'popcnt', a: Value): Value {
    this.push(a).op(`i64.${op}`);
    return this.define('i64');
  }

  truncate(a: Value, width: Width): Value {
    if (width === 64) return a;
    const { constant } = a as Local;
    if (constant !== undefined) return this.constant(BigInt.asUintN(width, constant));
    this.push(a);
    if (width === 32) this.f.op('i32.wrap_i64').op('i64.extend_i32_u');
    else this.f.i64(width === 8 ? 0xff : 0xffff).op('i64.and');
    return this.define('i64');
  }

  signExtend(a: Value, width: Width): Value {
    if (width === 64) return a;
    const { constant } = a as Local;
    if (constant !== undefined) return this.constant(BigInt.asIntN(width, constant));
    this.push(a).op(`i64.extend${width}_s`);
    return this.define('i64');
  }

  multiplyHigh(signed: boolean, a: Value, b: Value): Value {
    this.push(a);
    this.push(b);
    this.f.callNamed(signed ? 'multiply.highSigned' : 'multiply.high');
    return this.define('i64');
  }

  fromBool(a: Value): Value {
    this.push(a).op('i64.extend_i32_u');
    return this.define('i64');
  }

  toBool(a: Value): Value {
    this.push(a).i64(0).op('i64.ne');
    return this.define('i32');
  }

  not(a: Value): Value {
    if (a.type === 'i32') this.push(a).op('i32.eqz');
    else this.push(a).i64(-1).op('i64.xor');
    return this.define(a.type);
  }

  select(condition: Value, a: Value, b: Value): Value {
    if (a.type === 'v128') {
      this.push(condition);
      this.f.if('v128');
      this.push(a);
      this.f.else();
      this.push(b);
      this.f.end();
      return this.define('v128');
    }
    this.push(a);
    this.push(b);
    this.push(condition).op('select');
    return this.define(a.type);
  }

  // ── Vectors ─────────────────────────────────────────────────────────────────────────────────────────────────────
  wasm(name: string, ...operands: Value[]): Value {
    for (const operand of operands) this.push(operand);
    this.f.op(name);
    return this.define(resultType(name));
  }

  lane(name: string, lane: number, ...operands: Value[]): Value {
    for (const operand of operands) this.push(operand);
    this.f.lane(name, lane);
    return this.define(resultType(name));
  }

  shuffle(a: Value, b: Value, lanes: readonly number[]): Value {
    this.push(a);
    this.push(b);
    this.f.shuffle(lanes);
    return this.define('v128');
  }

  vectorConstant(bytes: readonly number[]): Value {
    this.f.v128(bytes);
    return this.define('v128');
  }

  // ── Variables and `if` ──────────────────────────────────────────────────────────────────────────────────────────
  variable(initial: Value): Variable {
    this.push(initial);
    return this.define(initial.type);
  }

  get(variable: Variable): Value {
    this.f.get((variable as Local).local);
    return this.define(variable.type);
  }

  set(variable: Variable, value: Value): void {
    this.push(value).set((variable as Local).local);
  }

  if(condition: Value, then: () => void, otherwise?: () => void): void {
    if (condition.type === 'i64') this.push(condition).i64(0).op('i64.ne');
    else this.push(condition);
    this.f.if();
    then();
    if (otherwise !== undefined) {
      this.f.else();
      otherwise();
    }
    this.f.end();
  }
}
