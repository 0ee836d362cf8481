/**
 * The VFS server's state: its tables in the store, and the few caches that are rebuilt from them. Handlers get one `Vfs` and
 * keep nothing else. Functions on it stand in the files named after what they do (walk.ts, files.ts, inodes.ts, mounts.ts …).
 */
import type { Time } from '../../abi/stat.ts';
import type { FileSystem } from '../../fs/contract.ts';
import type { HostDirectory } from '../../fs/host/directory.ts';
import type { FileTree } from '../../fs/tar/tree.ts';
import type { KernelCalls } from '../../ipc/kernel-calls.ts';
import type { ServerContext } from '../../ipc/server.ts';
import type { Contents, Sequence, SortedTable, Table } from '../../ipc/store.ts';
import { type AsyncFile, notifyOwners } from './events/async.ts';
import { notifyWatchers } from './events/ready.ts';
import type { EpollItem, EventCounter, Inotify, Marks, Notice, Timer, Watch, Watchers } from './events/rows.ts';
import type { LeaseRow } from './leases.ts';
import type { MqueueMessage, MqueueRow } from './mqueue/rows.ts';
import type {
  HeldInode,
  LockRow,
  LockWait,
  Mount,
  ObjectRow,
  OpenFile,
  Opening,
  PipeRow,
  ProcessRow,
  StreamRow,
  Superblock,
} from './rows.ts';
import type { InFlight, Packet, SocketRow } from './socket/rows.ts';
import type { PtyRow } from './terminal/pty-row.ts';
import type { TerminalRow } from './terminal/row.ts';

/** What the root is made of: a folder of the host or an indexed tar file. */
export type RootLayer = { readonly directory: HostDirectory } | { readonly tree: FileTree };

/**
 * The root file system: an empty tmpfs if nothing is said; layers that are only read, with what changes kept in memory over
 * them; or one folder of the host as it is, written too.
 */
export type RootOptions = { readonly layers: readonly RootLayer[] } | { readonly folder: HostDirectory };

/** What the machine gives the VFS besides the kernel. */
export interface VfsOptions {
  /** Directories of the host by the names that mounts use as source. */
  readonly hostDirectory?: (source: string) => HostDirectory | undefined;
  readonly root?: RootOptions;
}

export class Vfs {
  readonly context: ServerContext;
  readonly kernel: KernelCalls;
  readonly options: VfsOptions;

  readonly processes: Table<number, ProcessRow>;
  /** What was written to files of /proc/sys, by path below it. */
  readonly settings: Table<string, { readonly value: string }>;
  readonly files: Table<number, OpenFile>;
  readonly fileNumbers: Sequence;
  readonly superblocks: Table<number, Superblock>;
  readonly superblockNumbers: Sequence;
  readonly mounts: Table<number, Mount>;
  readonly mountNumbers: Sequence;
  /** Mount number by the covered directory (`pointKey`). */
  readonly mountPoints: Table<number, { readonly mount: number }>;
  /** By object number. */
  readonly held: Table<number, HeldInode>;
  readonly objects: Table<number, ObjectRow>;
  readonly pipes: Table<number, PipeRow>;
  readonly pipeNumbers: Sequence;
  readonly pipeData: Contents;
  readonly openings: Table<number, Opening>;
  readonly streams: Table<number, StreamRow>;
  readonly terminals: Table<number, TerminalRow>;
  /** Pseudo-terminals by number. */
  readonly ptys: Table<number, PtyRow>;
  /** POSIX message queues (mqueue/rows.ts). */
  readonly mqueues: Table<number, MqueueRow>;
  readonly mqueueNumbers: Sequence;
  readonly mqueueNames: Table<string, { readonly queue: number }>;
  readonly mqueueMessages: SortedTable<MqueueMessage>;
  readonly mqueueOrder: Sequence;
  readonly sockets: Table<number, SocketRow>;
  readonly socketNumbers: Sequence;
  /** Which socket has a name (socket/address.ts). */
  readonly socketNames: Table<string, { readonly socket: number }>;
  readonly autobindNumbers: Sequence;
  /** Messages by receiving socket. */
  readonly packets: SortedTable<Packet>;
  readonly packetNumbers: Sequence;
  /** Open files that travel in messages, and how many a user has so. */
  readonly inFlight: Table<number, InFlight>;
  readonly inFlightUsers: Table<number, InFlight>;
  readonly locks: Table<number, LockRow>;
  readonly lockWaits: Table<number, LockWait>;
  /** eventfd counters and timers by open file. */
  readonly counters: Table<number, EventCounter>;
  readonly timers: Table<number, Timer>;
  /** inotify: instances by open file; watches of an instance by descriptor; watches of an inode; events that wait. */
  readonly inotifies: Table<number, Inotify>;
  readonly watches: SortedTable<Watch>;
  readonly marks: Table<number, Marks>;
  readonly notices: SortedTable<Notice>;
  readonly noticeNumbers: Sequence;
  readonly cookieNumbers: Sequence;
  /** Leases by object number. */
  readonly leases: Table<number, LeaseRow>;
  /** Seals of memory files that allow them, by object number. */
  readonly seals: Table<number, { readonly seals: number }>;
  /** What signalfds read, and whom pidfds stand for, by open file. */
  readonly signalSets: Table<number, { readonly set: bigint }>;
  readonly pidfds: Table<number, { readonly pid: number }>;
  /** When timers are due: partition 0, key nanoseconds of the monotonic clock. */
  readonly alarms: SortedTable<{ readonly file: number }>;
  /** What epoll instances watch: by number; by instance, file and descriptor; of an instance; of a file. */
  readonly epollItems: Table<number, EpollItem>;
  readonly epollNumbers: Sequence;
  readonly epollKeys: Table<string, { readonly item: number }>;
  readonly epollMembers: SortedTable<{ readonly item: number }>;
  readonly epollSources: SortedTable<{ readonly item: number }>;
  /** Items that may have something to report, by instance, in the order in which they were woken. */
  readonly epollReady: SortedTable<{ readonly item: number }>;
  readonly epollOrder: Sequence;
  /** Items of epoll by the channel that they listen to. */
  readonly watchers: Table<string, Watchers>;
  /** Open files with signal-driven I/O, and those with O_ASYNC by channel. */
  readonly asyncFiles: Table<number, AsyncFile>;
  readonly asyncChannels: Table<string, { readonly files: readonly number[] }>;

  /** File system objects by superblock; an entry counts only while its row is the store's (a rollback may have replaced it). */
  readonly fileSystems = new Map<number, { readonly row: Superblock; readonly fs: FileSystem }>();
  /** The same by mount, for path walks. */
  readonly mounted: ({ readonly row: Readonly<Mount>; readonly fs: FileSystem } | undefined)[] = [];
  /** Where data passes through on its way between files and grants; meaningless between calls. */
  readonly scratch = new Uint8Array(1 << 17);
  /** Files that are being let go of (socket/rights.ts); empty between calls. */
  readonly dying: number[] = [];
  /** Only says when it is time to look for lost sockets; an instance may begin anew. */
  closesSinceCollection = 0;

  constructor(context: ServerContext, options: VfsOptions) {
    const { store } = context;
    this.context = context;
    this.kernel = context.kernel;
    this.options = options;
    this.processes = store.table('vfs:process');
    this.settings = store.table('vfs:setting');
    this.files = store.table('vfs:file');
    this.fileNumbers = store.sequence('vfs:file');
    this.superblocks = store.table('vfs:superblock');
    this.superblockNumbers = store.sequence('vfs:superblock');
    this.mounts = store.table('vfs:mount');
    this.mountNumbers = store.sequence('vfs:mount');
    this.mountPoints = store.table('vfs:mount-point');
    this.held = store.table('vfs:held');
    this.objects = store.table('vfs:object');
    this.pipes = store.table('vfs:pipe');
    this.pipeNumbers = store.sequence('vfs:pipe');
    this.pipeData = store.contents('vfs:pipe');
    this.openings = store.table('vfs:opening');
    this.streams = store.table('vfs:stream');
    this.terminals = store.table('vfs:terminal');
    this.ptys = store.table('vfs:pty');
    this.mqueues = store.table('vfs:mqueue');
    this.mqueueNumbers = store.sequence('vfs:mqueue');
    this.mqueueNames = store.table('vfs:mqueue-name');
    this.mqueueMessages = store.sorted('vfs:mqueue-message');
    this.mqueueOrder = store.sequence('vfs:mqueue-order');
    this.sockets = store.table('vfs:socket');
    this.socketNumbers = store.sequence('vfs:socket');
    this.socketNames = store.table('vfs:socket-name');
    this.autobindNumbers = store.sequence('vfs:autobind');
    this.packets = store.sorted('vfs:packet');
    this.packetNumbers = store.sequence('vfs:packet');
    this.inFlight = store.table('vfs:in-flight');
    this.inFlightUsers = store.table('vfs:in-flight-user');
    this.locks = store.table('vfs:lock');
    this.lockWaits = store.table('vfs:lock-wait');
    this.counters = store.table('vfs:eventfd');
    this.timers = store.table('vfs:timerfd');
    this.inotifies = store.table('vfs:inotify');
    this.watches = store.sorted('vfs:watch');
    this.marks = store.table('vfs:mark');
    this.notices = store.sorted('vfs:notice');
    this.noticeNumbers = store.sequence('vfs:notice');
    this.cookieNumbers = store.sequence('vfs:move-cookie');
    this.leases = store.table('vfs:lease');
    this.seals = store.table('vfs:seal');
    this.signalSets = store.table('vfs:signalfd');
    this.pidfds = store.table('vfs:pidfd');
    this.alarms = store.sorted('vfs:alarm');
    this.epollItems = store.table('vfs:epoll-item');
    this.epollNumbers = store.sequence('vfs:epoll-item');
    this.epollKeys = store.table('vfs:epoll-key');
    this.epollMembers = store.sorted('vfs:epoll-member');
    this.epollSources = store.sorted('vfs:epoll-source');
    this.epollReady = store.sorted('vfs:epoll-ready');
    this.epollOrder = store.sequence('vfs:epoll-order');
    this.watchers = store.table('vfs:watcher');
    this.asyncFiles = store.table('vfs:async');
    this.asyncChannels = store.table('vfs:async-channel');
  }

  now(): Time {
    return this.context.realtime();
  }

  /**
   * Something changed that requests and epoll instances wait for. `events` are the POLL* bits that may have come to hold: epoll
   * items that ask for none of them are left alone (edge-triggered ones would else report twice).
   */
  wake(channel: string, events = ~0): void {
    this.context.wake(channel);
    this.edge(channel, events);
  }

  /** As `wake`, where sleeping requests need not hear of it: more came where there was something already. */
  edge(channel: string, events = ~0): void {
    if (this.watchers.size > 0) notifyWatchers(this, channel, events);
    if (this.asyncChannels.size > 0) notifyOwners(this, channel, events);
  }
}
