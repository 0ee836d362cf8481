/** Rows of sockets: the tables `sockets`, `packets` (by receiving socket), `socketNames` and `inFlight`. All fields are plain values. */
import type { Time } from '../../../abi/stat.ts';

/** Process and ids as SO_PEERCRED and SCM_CREDENTIALS give them. */
export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export type SocketState = 'open' | 'listening' | 'connected';

export interface SocketRow {
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  state: SocketState;
  /** Stream and seqpacket: the other end, 0 once that is closed. Datagram: where unaddressed messages go. */
  peer: number;
  /** Own and peer's address as sockaddr bytes, one char a byte; '' has no name. */
  address: string;
  peerAddress: string;
  /** Its entry in `socketNames`, '' if it has none, and the object number of the inode it is bound to, 0 if to none. */
  key: string;
  boundObject: number;
  /** Directions that are shut down: CLOSED_READ | CLOSED_WRITE. */
  shut: number;
  /** SO_ERROR. */
  error: number;
  backlog: number;
  /** Connections that wait for accept(2), oldest first: sockets without a description. */
  pending: readonly number[];
  /** Datagram sockets that found the queue full when they were polled. */
  starved: readonly number[];
  sendBuffer: number;
  receiveBuffer: number;
  /** Messages that wait to be received, and their bytes. */
  packets: number;
  queued: number;
  /** What the sent messages that nobody has received yet cost (`costOf`). */
  outstanding: number;
  /** SO_PEERCRED; pid 0 and ids −1 for none. Of a listener, who called listen(2): what those see that connect. */
  peerCredentials: Credentials;
  passCredentials: boolean;
  /** Nanoseconds, 0 for none. */
  receiveTimeout: number;
  sendTimeout: number;
  lowWater: number;
  peekOffset: number;
  lingerOn: number;
  linger: number;
  /** Options that are kept and given back, by level and name: `level * 1000 + name`. */
  options: Readonly<Record<number, number>>;
  /** Its open file description, 0 before it is accepted. */
  file: number;
  /** Attributes of its inode. */
  uid: number;
  gid: number;
  mode: number;
  time: Time;
}

export const CLOSED_READ = 1;
export const CLOSED_WRITE = 2;

/** A message in a receiving socket's queue. `data` is never changed. */
export interface Packet {
  readonly data: Uint8Array;
  /** Bytes that have been read already (stream). */
  start: number;
  readonly cost: number;
  readonly sender: number;
  readonly from: string;
  /** Open files that travel with it; each counts as a holder. */
  files: readonly number[];
  /** Who sent them, for the limit of descriptors in flight. */
  readonly owner: number;
  readonly credentials: Credentials;
}

/** An open file that travels in messages: how often. */
export interface InFlight {
  count: number;
}
