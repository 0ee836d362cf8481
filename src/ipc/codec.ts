/**
 * Codec: derived once from a protocol's declaration, one encoder and one decoder for each message.
 *
 * Entry points: `codecOf(protocol)` (cached), `ProtocolCodec.call(name)`, `Message.encode`, `Message.decode`; requests are
 * mostly carried as *slots*, an array of their values in declaration order (`encodeSlots`, `decodeSlots`), because objects
 * whose properties are named at run time are what a call would spend most of its time on. `RequestView` shows slots to a
 * handler under their names.
 * Invariants: fields are written in declaration order without padding; a body that is too short, too long or holds what a
 * field refuses is malformed as a whole (`decode` answers undefined and throws nothing); a value that lacks a declared
 * field or does not fit the frame is a bug of the sender (`encode` throws TypeError or FrameError).
 */
import type { Field, Grant } from './fields.ts';
import { type Frame, FrameError } from './frame.ts';
import type { Fields, Protocol } from './protocol.ts';

/** x90 of the range: a reply. */
export const REPLY_OFFSET = 90;
/** x91 of the range: an error, whose body is one i32, the errno. */
export const ERROR_OFFSET = 91;

type Row = Record<string, unknown>;
/** Values of a message's fields in the order of their declaration. */
export type Slots = readonly unknown[];

/** The common kinds, which are done in line. */
const enum Op {
  I32 = 0,
  U32 = 1,
  I53 = 2,
  Bool = 3,
  Grant = 4,
  Other = 5,
}
const OPS: Readonly<Record<string, Op>> = { i32: Op.I32, u32: Op.U32, i53: Op.I53, bool: Op.Bool, grant: Op.Grant };

/** One message: the fields of a request or a reply. */
export class Message {
  readonly names: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: fields of any types
  readonly fields: readonly Field<any>[];
  readonly #required: readonly boolean[];
  readonly #ops: readonly Op[];
  /** Its only field is `result`, as of most replies. */
  readonly #isResult: boolean;
  readonly #one: unknown[] = [undefined];

  constructor(declared: Fields) {
    this.names = Object.keys(declared);
    this.fields = Object.values(declared);
    this.#required = this.fields.map((field) => !field.kind.endsWith('?'));
    this.#ops = this.fields.map((field) => OPS[field.kind] ?? Op.Other);
    this.#isResult = this.names.length === 1 && this.names[0] === 'result';
  }

  /** Writes the fields into the frame's body. Members that are not declared are ignored. */
  encode(frame: Frame, values: Readonly<Row>): void {
    if (this.#isResult) {
      this.#one[0] = (values as { readonly result?: unknown }).result;
      this.encodeSlots(frame, this.#one);
    } else this.encodeSlots(frame, this.slots(values));
  }

  /** As `encode`. */
  encodeSlots(frame: Frame, slots: Slots): void {
    const ops = this.#ops;
    const writer = frame.writer;
    for (let i = 0; i < ops.length; i++) {
      const value = slots[i];
      if (value === undefined && this.#required[i]) throw new TypeError(`the message lacks its field ${this.names[i]}`);
      switch (ops[i]) {
        case Op.I32:
          writer.i32(value as number);
          break;
        case Op.U32:
          writer.u32(value as number);
          break;
        case Op.I53:
          writer.i53(value as number);
          break;
        case Op.Bool:
          writer.u8(value ? 1 : 0);
          break;
        case Op.Grant:
          writer.u32(value === null ? 0 : (value as Grant).id);
          writer.i53(value === null ? 0 : (value as Grant).length);
          break;
        default:
          this.fields[i].write(writer, value);
      }
    }
  }

  /** Reads the body of an accepted frame, all of it; undefined if it is malformed. */
  decode(frame: Frame): Row | undefined {
    const slots = this.#isResult ? this.#one : new Array<unknown>(this.names.length);
    if (!this.decodeSlots(frame, slots)) return undefined;
    return this.#isResult ? { result: slots[0] } : this.named(slots);
  }

  /** As `decode`; false if it is malformed. */
  decodeSlots(frame: Frame, into: unknown[]): boolean {
    const ops = this.#ops;
    const reader = frame.reader;
    try {
      for (let i = 0; i < ops.length; i++) {
        switch (ops[i]) {
          case Op.I32:
            into[i] = reader.i32();
            break;
          case Op.U32:
            into[i] = reader.u32();
            break;
          case Op.I53:
            into[i] = reader.i53();
            break;
          case Op.Bool:
            into[i] = reader.u8() !== 0;
            break;
          case Op.Grant: {
            const id = reader.u32();
            const length = reader.i53();
            into[i] = id === 0 ? null : { id, length };
            break;
          }
          default:
            into[i] = this.fields[i].read(reader);
        }
      }
    } catch (error) {
      if (error instanceof FrameError) return false;
      throw error;
    }
    return frame.drained;
  }

  /** The declared members of an object, in order. */
  slots(values: Readonly<Row>): unknown[] {
    return this.names.map((name) => values[name]);
  }

  /** An object of slots. */
  named(slots: Slots): Row {
    const values: Row = {};
    for (let i = 0; i < this.names.length; i++) values[this.names[i]] = slots[i];
    return values;
  }

  /** `{dirfd=-100, path="/etc"}` for the IPC log. */
  show(values: Readonly<Row>): string {
    return `{${this.names.map((name, i) => `${name}=${values[name] === undefined ? '-' : this.fields[i].show(values[name])}`).join(', ')}}`;
  }
}

/**
 * A request as its handler sees it: `row` has the names of the fields and shows the slots that are shown at present. One
 * object serves all requests of a call in turn, so a handler must not keep it (nor does any: what it remembers is in the store).
 */
export class RequestView {
  readonly row: Readonly<Row> = {};
  shown: Slots = [];

  constructor(message: Message) {
    message.names.forEach((name, i) => {
      Object.defineProperty(this.row, name, { enumerable: true, get: () => this.shown[i] });
    });
  }
}

/** One call of a protocol with its two messages. */
export interface CallCodec {
  readonly name: string;
  readonly number: number;
  /** Position among the protocol's calls. */
  readonly index: number;
  readonly doc: string;
  readonly request: Message;
  readonly reply: Message;
}

export class ProtocolCodec {
  readonly name: string;
  readonly base: number;
  readonly calls: readonly CallCodec[];
  readonly #byName = new Map<string, CallCodec>();
  readonly #byNumber = new Map<number, CallCodec>();

  constructor(protocol: Protocol) {
    this.name = protocol.name;
    this.base = protocol.base;
    this.calls = Object.entries(protocol.calls).map(([name, call], index) => ({
      name,
      number: call.number,
      index,
      doc: call.doc,
      request: new Message(call.request),
      reply: new Message(call.reply),
    }));
    for (const call of this.calls) {
      this.#byName.set(call.name, call);
      this.#byNumber.set(call.number, call);
    }
  }

  call(name: string): CallCodec | undefined {
    return this.#byName.get(name);
  }

  byNumber(number: number): CallCodec | undefined {
    return this.#byNumber.get(number);
  }
}

const cache = new WeakMap<object, ProtocolCodec>();

/** The codec of a protocol, made on first use. */
export const codecOf = (protocol: Protocol): ProtocolCodec => {
  let codec = cache.get(protocol);
  if (codec === undefined) cache.set(protocol, (codec = new ProtocolCodec(protocol)));
  return codec;
};
