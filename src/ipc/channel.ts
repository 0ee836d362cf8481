/**
 * A channel between two endpoints: it seals what one sends and opens it for the other.
 *
 * Entry points: `seal` (a message becomes a frame that can travel), `open` (a frame becomes a message, or is dropped), `rekey`.
 * Invariants: the counter in each direction goes up by one a frame, and only the frame that is next is accepted: a frame that
 * was replayed, overtook another, was tampered with or is sealed with another key is dropped and counted, and changes nothing
 * else. How many frames may be under way is the queue's business (endpoint.ts).
 */
import { EMSGSIZE, type Result } from '../abi/errno.ts';
import { type Frame, FrameKind, HEADER_BYTES, TAG_BYTES } from './frame.ts';
import { agree, type EndpointName, type Entropy } from './handshake.ts';
import type { SealedEnd, Sealing } from './seal/end.ts';
import { SEALED_FORGED, SEALED_REORDERED, SEALED_REPLAYED } from './seal/kernel-wasm.ts';

/** A message as its receiver gets it. */
export interface Message {
  /** Endpoint that sent it. */
  readonly from: number;
  /** Thread that sent it. */
  readonly pid: number;
  readonly tid: number;
  readonly data: Uint8Array;
}

/** Which way: from the endpoint that opened the channel, or to it. */
export type Direction = 'forward' | 'back';

/** Protocol number of opaque messages: user programs count from 1000. */
const DATAGRAM_PROTOCOL = 1000;

export interface ChannelEnvironment {
  /** Scratch that all channels share: a frame is in it only while it is sealed or opened. */
  readonly frame: Frame;
  readonly sealing: Sealing | undefined;
  readonly random: Entropy;
}

export class Channel {
  readonly initiator: EndpointName & { readonly id: number };
  readonly responder: EndpointName & { readonly id: number };
  /** Frames that were dropped, by cause. */
  readonly dropped = { malformed: 0, forged: 0, replayed: 0, reordered: 0 };
  /** One of the endpoints is gone: nothing is sent any more. */
  closed = false;
  readonly #environment: ChannelEnvironment;
  readonly #ends: { readonly initiator: SealedEnd; readonly responder: SealedEnd } | undefined;
  #epoch = 0;
  #sent = 0;

  constructor(initiator: Channel['initiator'], responder: Channel['responder'], environment: ChannelEnvironment) {
    this.initiator = initiator;
    this.responder = responder;
    this.#environment = environment;
    const { sealing } = environment;
    if (sealing !== undefined) {
      const [initiatorEnd, responderEnd] = sealing.channel();
      this.#ends = { initiator: initiatorEnd, responder: responderEnd };
      this.rekey();
    }
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Agrees on new keys: frames of the old epoch that are still under way will be dropped. */
  rekey(): void {
    if (this.#ends === undefined) return;
    this.#epoch++;
    const { initiator, responder } = this;
    const names = { initiator, responder, epoch: this.#epoch };
    agree(names, this.#ends.initiator, this.#ends.responder, this.#environment.random);
  }

  /** Overwrites the keys: the channel is of no use any more. */
  wipe(): void {
    this.#ends?.initiator.wipe();
    this.#ends?.responder.wipe();
  }

  /** A frame with the message, for the other end. EMSGSIZE if it does not fit. */
  seal(direction: Direction, pid: number, tid: number, data: Uint8Array): Result<Uint8Array> {
    const { frame } = this.#environment;
    if (data.length > frame.capacity - HEADER_BYTES - TAG_BYTES) return EMSGSIZE;
    this.#sent = (this.#sent + 1) >>> 0;
    frame.start(FrameKind.Datagram, DATAGRAM_PROTOCOL, 0, 0, this.#sent, pid, tid);
    frame.writer.bytes(data);
    frame.finish();
    const end = direction === 'forward' ? this.#ends?.initiator : this.#ends?.responder;
    end?.seal(frame);
    return frame.wire.slice();
  }

  /** The message of a frame that travelled this way, or undefined if it is dropped. */
  open(direction: Direction, wire: Uint8Array): Message | undefined {
    const { frame } = this.#environment;
    if (!frame.load(wire)) return this.#drop('malformed');
    const end = direction === 'forward' ? this.#ends?.responder : this.#ends?.initiator;
    if (end !== undefined) {
      const status = end.open(frame);
      if (status === SEALED_FORGED) return this.#drop('forged');
      if (status === SEALED_REPLAYED) return this.#drop('replayed');
      if (status === SEALED_REORDERED) return this.#drop('reordered');
    }
    if (!frame.accept() || frame.kind !== FrameKind.Datagram || frame.protocol !== DATAGRAM_PROTOCOL)
      return this.#drop('malformed');
    const from = direction === 'forward' ? this.initiator.id : this.responder.id;
    return { from, pid: frame.pid, tid: frame.tid, data: frame.reader.bytes(frame.bodyLength) };
  }

  #drop(cause: keyof Channel['dropped']): undefined {
    this.dropped[cause]++;
    return undefined;
  }
}
