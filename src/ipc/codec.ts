/**
 * Codec: derived once from a protocol's declaration, one encoder and one decoder for each message.
 *
 * Entry points: `codecOf(protocol)` (cached), `ProtocolCodec.call(name)`, `Message.encode`, `Message.decode`.
 * Invariants: fields are written in declaration order without padding; a body that is too short, too long or holds what a
 * field refuses is malformed as a whole (`decode` answers undefined and throws nothing); a value that lacks a declared
 * field or does not fit the frame is a bug of the sender (`encode` throws TypeError or FrameError).
 */
import type { Field } from './fields.ts';
import { type Frame, FrameError } from './frame.ts';
import type { Fields, Protocol } from './protocol.ts';

/** x90 of the range: a reply. */
export const REPLY_OFFSET = 90;
/** x91 of the range: an error, whose body is one i32, the errno. */
export const ERROR_OFFSET = 91;

type Row = Record<string, unknown>;

/** One message: the fields of a request or a reply. */
export class Message {
  readonly names: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: fields of any types
  readonly fields: readonly Field<any>[];
  readonly #required: readonly boolean[];

  constructor(declared: Fields) {
    this.names = Object.keys(declared);
    this.fields = Object.values(declared);
    this.#required = this.fields.map((field) => !field.kind.endsWith('?'));
  }

  /** Writes the fields into the frame's body. Members that are not declared are ignored. */
  encode(frame: Frame, values: Readonly<Row>): void {
    const { names, fields } = this;
    const writer = frame.writer;
    for (let i = 0; i < names.length; i++) {
      const value = values[names[i]];
      if (value === undefined && this.#required[i]) throw new TypeError(`the message lacks its field ${names[i]}`);
      fields[i].write(writer, value);
    }
  }

  /** Reads the body of an accepted frame, all of it; undefined if it is malformed. */
  decode(frame: Frame): Row | undefined {
    const { names, fields } = this;
    const reader = frame.reader;
    const values: Row = {};
    try {
      for (let i = 0; i < names.length; i++) values[names[i]] = fields[i].read(reader);
    } catch (error) {
      if (error instanceof FrameError) return undefined;
      throw error;
    }
    return frame.drained ? values : undefined;
  }

  /** `{dirfd=-100, path="/etc"}` for the IPC log. */
  show(values: Readonly<Row>): string {
    return `{${this.names.map((name, i) => `${name}=${values[name] === undefined ? '-' : this.fields[i].show(values[name])}`).join(', ')}}`;
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
