/** System V message queues: msgget(2), msgsnd(2), msgrcv(2), msgctl(2). Whoever must wait sleeps on `msg:ID`. */
import { CAP_SYS_RESOURCE, capabilityBit } from '../../../abi/credentials.ts';
import { E2BIG, EAGAIN, EFAULT, EIDRM, EINVAL, ENOMSG, EPERM, Errno } from '../../../abi/errno.ts';
import { IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT } from '../../../abi/shm.ts';
import * as s from '../../../abi/sysv.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { type Delivery, type Outcome, wait } from '../../../ipc/server.ts';
import { type IpcRow, mayControl, mayUse, sequenceOf } from '../ipc/objects.ts';
import type { MessageQueue, QueuedMessage } from '../ipc/rows.ts';
import { seconds } from '../segments.ts';
import type { MemoryHandlers, MemoryServer } from '../state.ts';

type Reply = Outcome<{ readonly result: number }>;

const done = { result: 0 };
const channelOf = (id: number): string => `msg:${id}`;

const encodeQueue = (row: Readonly<MessageQueue>): Uint8Array => {
  const bytes = new Uint8Array(s.MSQID_DS_SIZE);
  const view = new DataView(bytes.buffer);
  s.putPermission(view, { ...row, sequence: sequenceOf(row.id) });
  for (const [at, value] of [
    [48, row.stime],
    [56, row.rtime],
    [64, row.ctime],
    [72, row.bytes],
    [80, row.count],
    [88, row.capacity],
  ])
    view.setBigInt64(at, BigInt(value), true);
  view.setInt32(96, row.lspid, true);
  view.setInt32(100, row.lrpid, true);
  return bytes;
};

const encodeInfo = (pool: number, map: number, total: number): Uint8Array => {
  const { MSGMAX, MSGMNB, MSGMNI, MSGSSZ } = s;
  const bytes = new Uint8Array(Int32Array.of(pool, map, MSGMAX, MSGMNB, MSGMNI, MSGSSZ, total, 0).buffer);
  new DataView(bytes.buffer).setUint16(28, 0xffff, true);
  return bytes;
};

const give = (m: MemoryServer, buf: Grant | null, bytes: Uint8Array, result: number): Reply => {
  if (buf === null) return EFAULT;
  const copied = m.context.copyOut(buf, 0, bytes);
  return copied instanceof Errno || copied < bytes.length ? EFAULT : { result };
};

const send = (m: MemoryServer, call: Delivery, id: number, buf: Grant | null, size: number, flags: number): Reply => {
  const { pid } = call.caller;
  if (buf === null) return EFAULT;
  const head = m.context.copyIn(buf, 0, 8);
  if (head instanceof Errno) return head;
  if (size < 0 || size > s.MSGMAX || id < 0) return EINVAL;
  const type = Number(new DataView(head.buffer, head.byteOffset, 8).getBigInt64(0, true));
  if (type < 1) return EINVAL;
  const data = m.context.copyIn(buf, 8, size);
  if (data instanceof Errno) return data;
  const index = m.queues.find(id);
  if (index instanceof Errno) return call.reason === 'first' ? index : EIDRM;
  const row = m.queues.rows.get(index)!;
  const who = m.context.kernel.process(pid);
  if (who instanceof Errno) return who;
  const refused = mayUse(row, who, 0o222);
  if (refused !== undefined) return refused;
  if (row.bytes + size > row.capacity || row.count + 1 > row.capacity)
    return flags & s.IPC_NOWAIT ? EAGAIN : wait([channelOf(id)]);
  m.messages.set(index, m.messageNumbers.next(), { type, data });
  const changed = m.queues.rows.edit(index)!;
  changed.bytes += size;
  changed.count++;
  changed.lspid = pid;
  changed.stime = seconds(m);
  m.context.wake(channelOf(id));
  return done;
};

/** The message that a receiver asks for. */
const choose = (
  m: MemoryServer,
  index: number,
  type: number,
  flags: number,
): readonly [number, Readonly<QueuedMessage>] | undefined => {
  const all = m.messages.range(index);
  if (flags & s.MSG_COPY) return all[type];
  if (type === 0) return all[0];
  if (type > 0) return all.find(([, one]) => (one.type === type) !== ((flags & s.MSG_EXCEPT) !== 0));
  let best: readonly [number, Readonly<QueuedMessage>] | undefined;
  for (const one of all) if (one[1].type <= -type && (best === undefined || one[1].type < best[1].type)) best = one;
  return best;
};

const receive = (
  m: MemoryServer,
  call: Delivery,
  id: number,
  buf: Grant | null,
  size: number,
  type: number,
  flags: number,
): Reply => {
  const { pid } = call.caller;
  if (id < 0 || size < 0) return EINVAL;
  if (flags & s.MSG_COPY && (flags & s.MSG_EXCEPT || !(flags & s.IPC_NOWAIT))) return EINVAL;
  const index = m.queues.find(id);
  if (index instanceof Errno) return call.reason === 'first' ? index : EIDRM;
  const row = m.queues.rows.get(index)!;
  const who = m.context.kernel.process(pid);
  if (who instanceof Errno) return who;
  const refused = mayUse(row, who, 0o444);
  if (refused !== undefined) return refused;
  const found = choose(m, index, type, flags);
  if (found === undefined) return flags & s.IPC_NOWAIT ? ENOMSG : wait([channelOf(id)]);
  const [key, message] = found;
  const { length } = message.data;
  if (length > size && (flags & s.MSG_NOERROR) === 0) return E2BIG;
  if (flags & s.MSG_COPY) return deliver(m, buf, message, Math.min(length, size));
  m.messages.delete(index, key);
  const changed = m.queues.rows.edit(index)!;
  changed.bytes -= length;
  changed.count--;
  changed.lrpid = pid;
  changed.rtime = seconds(m);
  m.context.wake(channelOf(id));
  return deliver(m, buf, message, Math.min(length, size));
};

/** A message that cannot be delivered is lost, as on Linux. */
const deliver = (m: MemoryServer, buf: Grant | null, { type, data }: Readonly<QueuedMessage>, count: number): Reply => {
  const bytes = new Uint8Array(8 + count);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(type), true);
  bytes.set(data.subarray(0, count), 8);
  return give(m, buf, bytes, count);
};

const control = (m: MemoryServer, call: Delivery, id: number, command: number, buf: Grant | null): Reply => {
  const who = m.context.kernel.process(call.caller.pid);
  if (who instanceof Errno) return who;
  const { queues } = m;
  if (id < 0) return EINVAL;
  if (command === IPC_INFO)
    return give(m, buf, encodeInfo((s.MSGMNI * s.MSGMNB) / 1024, s.MSGMNB, s.MSGMNB), queues.highest);
  if (command === s.MSG_INFO) {
    let count = 0;
    let bytes = 0;
    for (const [, row] of queues.rows.entries()) {
      count += row.count;
      bytes += row.bytes;
    }
    return give(m, buf, encodeInfo(queues.rows.size, count, bytes), queues.highest);
  }
  if (command === s.MSG_STAT || command === s.MSG_STAT_ANY) {
    const row = queues.rows.get(id);
    if (row === undefined) return EINVAL;
    const refused = command === s.MSG_STAT ? mayUse(row, who, 0o444) : undefined;
    return refused ?? give(m, buf, encodeQueue(row), row.id);
  }
  if (command !== IPC_STAT && command !== IPC_SET && command !== IPC_RMID) return EINVAL;
  let bytes: Uint8Array | Errno = new Uint8Array(0);
  if (command === IPC_SET) bytes = buf === null ? EFAULT : m.context.copyIn(buf, 0, s.MSQID_DS_SIZE);
  if (bytes instanceof Errno) return bytes;
  const index = queues.find(id);
  if (index instanceof Errno) return index;
  const row = queues.rows.get(index)!;
  if (command === IPC_STAT) return mayUse(row, who, 0o444) ?? give(m, buf, encodeQueue(row), 0);
  const refused = mayControl(row, who);
  if (refused !== undefined) return refused;
  m.context.wake(channelOf(id));
  if (command === IPC_RMID) {
    m.messages.clear(index);
    queues.remove(index);
    return done;
  }
  const capacity = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(88, true));
  const mayGrow = (who.capabilities.effective & capabilityBit(CAP_SYS_RESOURCE)) !== 0n;
  if (capacity > s.MSGMNB && !mayGrow) return EPERM;
  Object.assign(queues.rows.edit(index)!, s.takePermission(bytes), { capacity, ctime: seconds(m) });
  return done;
};

export const messageCalls = (m: MemoryServer): Pick<MemoryHandlers, 'msgget' | 'msgsnd' | 'msgrcv' | 'msgctl'> => ({
  msgget({ key, flags }, { caller: { pid } }) {
    const who = m.context.kernel.process(pid);
    if (who instanceof Errno) return who;
    const fresh = { bytes: 0, count: 0, capacity: s.MSGMNB, stime: 0, rtime: 0, lspid: 0, lrpid: 0 };
    const make = (base: IpcRow): MessageQueue => ({ ...base, ...fresh });
    const id = m.queues.get(who, key, flags, () => undefined, make, seconds(m));
    return id instanceof Errno ? id : { result: id };
  },

  msgsnd: ({ id, buf, size, flags }, call) => send(m, call, id, buf, size, flags),
  msgrcv: ({ id, buf, size, type, flags }, call) => receive(m, call, id, buf, size, type, flags),
  msgctl: ({ id, command, buf }, call) => control(m, call, id, command, buf),
});
