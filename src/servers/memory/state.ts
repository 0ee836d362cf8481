/** What every handler of the memory manager works with: its tables, the kernel calls, and a few things they all ask. */
import { Errno } from '../../abi/errno.ts';
import { MSGMNI, SEMMNI } from '../../abi/sysv.ts';
import type { memoryProtocol } from '../../ipc/protocols/memory.ts';
import type { Handlers, ServerContext } from '../../ipc/server.ts';
import type { Sequence, SortedTable, Table } from '../../ipc/store.ts';
import { PAGE_SIZE, USER_LIMIT } from '../../memory/layout.ts';
import { IpcObjects } from './ipc/objects.ts';
import type { MessageQueue, QueuedMessage, SemaphoreSet, SemaphoreWait, Undo } from './ipc/rows.ts';
import type { MemoryRegion, ProcessMemory, ShmSegment } from './rows.ts';
import { type Owner, type Sharing, sharedPartitions, sharedRows } from './sharing.ts';

export interface MemoryServer {
  readonly context: ServerContext;
  /** Who uses whose address space (sharing.ts). */
  readonly sharing: Sharing;
  readonly processes: Table<number, ProcessMemory>;
  /** Regions of each process by start address. */
  readonly regions: SortedTable<MemoryRegion>;
  /** Free stretches of each process's mmap zone, by size and place (free-space.ts). */
  readonly gaps: SortedTable<object>;
  /** System V segments by index. */
  readonly segments: Table<number, ShmSegment>;
  /** Index of the segment with a key; index of the segment with a kernel object. */
  readonly segmentByKey: Table<number, { index: number }>;
  readonly segmentByObject: Table<number, { index: number }>;
  /** One row, 0: the index given last and the sequence number of identifiers. */
  readonly segmentIds: Table<number, { last: number; sequence: number }>;
  readonly semaphores: IpcObjects<SemaphoreSet>;
  /** By process and by thread. */
  readonly undo: Table<number, Undo>;
  readonly semaphoreWaits: Table<number, SemaphoreWait>;
  readonly queues: IpcObjects<MessageQueue>;
  /** By queue index. */
  readonly messages: SortedTable<QueuedMessage>;
  readonly messageNumbers: Sequence;
}

export const createMemoryServer = (context: ServerContext): MemoryServer => {
  const { store } = context;
  const owners = store.table<number, Owner>('owners');
  const processes = store.table<number, ProcessMemory>('processes');
  const regions = store.sorted<MemoryRegion>('regions');
  const gaps = store.sorted<object>('gaps');
  return {
    context,
    sharing: { owners, rows: [processes as Table<number, object>], partitions: [regions, gaps] },
    processes: sharedRows(processes, owners),
    regions: sharedPartitions(regions, owners),
    gaps: sharedPartitions(gaps, owners),
    segments: store.table('segments'),
    segmentByKey: store.table('segments by key'),
    segmentByObject: store.table('segments by object'),
    segmentIds: store.table('segment ids'),
    semaphores: new IpcObjects(store, 'semaphores', SEMMNI),
    undo: store.table('semaphore undo'),
    semaphoreWaits: store.table('semaphore waits'),
    queues: new IpcObjects(store, 'queues', MSGMNI),
    messages: store.sorted('messages'),
    messageNumbers: store.sequence('messages'),
  };
};

export type MemoryHandlers = Handlers<typeof memoryProtocol>;

export const pageUp = (value: number): number => Math.ceil(value / PAGE_SIZE) * PAGE_SIZE;
export const pageDown = (value: number): number => Math.floor(value / PAGE_SIZE) * PAGE_SIZE;

/** Sizes and addresses beyond the safe integers arrive clamped to their last page; what ends above it has wrapped round 0. */
const LAST_PAGE = 2 ** 53 - PAGE_SIZE;
export const wraps = (start: number, length: number): boolean => start + pageUp(length) > LAST_PAGE;
/** PAGE_ALIGN of a size, of which one in the last page becomes 0. */
export const wrappedUp = (length: number): number => (length > LAST_PAGE ? 0 : pageUp(length));

export const aligned = (value: number): boolean => value % PAGE_SIZE === 0;

/** Whether [start, start + length) lies in user space. */
export const inUserSpace = (start: number, length: number): boolean =>
  start >= 0 && length <= USER_LIMIT && start <= USER_LIMIT - length;

/** The soft limit on a resource (abi/resource.ts); Infinity for none, or if the kernel does not know the process. */
export const limitOf = (m: MemoryServer, pid: number, resource: number): number => {
  const process = m.context.kernel.process(pid);
  return process instanceof Errno
    ? Number.POSITIVE_INFINITY
    : (process.limits[resource]?.[0] ?? Number.POSITIVE_INFINITY);
};

/** The process's row for writing. A process that calls has one: exec made it. */
export const editProcess = (m: MemoryServer, pid: number): ProcessMemory => {
  const process = m.processes.edit(pid);
  if (process === undefined) throw new Error(`process ${pid} has no address space`);
  return process;
};

export const getProcess = (m: MemoryServer, pid: number): Readonly<ProcessMemory> => {
  const process = m.processes.get(pid);
  if (process === undefined) throw new Error(`process ${pid} has no address space`);
  return process;
};
