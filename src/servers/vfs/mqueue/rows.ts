/** Rows of POSIX message queues: `mqueues` by number, `mqueueNames` by name, `mqueueMessages` by queue. */
import type { Time } from '../../../abi/stat.ts';

export interface MqueueRow {
  /** '' when it has been unlinked. */
  name: string;
  uid: number;
  gid: number;
  mode: number;
  readonly maxMessages: number;
  readonly messageSize: number;
  count: number;
  bytes: number;
  /** Who is told of a message that comes to the empty queue (mq_notify): process and open file, 0 for nobody; signal 0 for none. */
  notifyPid: number;
  notifyFile: number;
  notifySignal: number;
  atime: Time;
  mtime: Time;
  ctime: Time;
}

export interface MqueueMessage {
  readonly data: Uint8Array;
  readonly priority: number;
}
