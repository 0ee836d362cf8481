/**
 * The VFS server's state: its tables in the store, and the few caches that are rebuilt from them. Handlers get one `Vfs` and
 * keep nothing else. Functions on it stand in the files named after what they do (walk.ts, files.ts, inodes.ts, mounts.ts …).
 */
import type { Time } from '../../abi/stat.ts';
import type { FileSystem } from '../../fs/contract.ts';
import type { HostDirectory } from '../../fs/host/directory.ts';
import type { KernelCalls } from '../../ipc/kernel-calls.ts';
import type { ServerContext } from '../../ipc/server.ts';
import type { Contents, Sequence, Table } from '../../ipc/store.ts';
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
import type { TerminalRow } from './terminal/row.ts';

/** What the machine gives the VFS besides the kernel: directories of the host by the names that mounts use as source. */
export interface VfsOptions {
  readonly hostDirectory?: (source: string) => HostDirectory | undefined;
}

export class Vfs {
  readonly context: ServerContext;
  readonly kernel: KernelCalls;
  readonly options: VfsOptions;

  readonly processes: Table<number, ProcessRow>;
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
  readonly locks: Table<number, LockRow>;
  readonly lockWaits: Table<number, LockWait>;

  /** File system objects by superblock; an entry counts only while its row is the store's (a rollback may have replaced it). */
  readonly fileSystems = new Map<number, { readonly row: Superblock; readonly fs: FileSystem }>();
  /** The same by mount, for path walks. */
  readonly mounted: ({ readonly row: Readonly<Mount>; readonly fs: FileSystem } | undefined)[] = [];
  /** Where data passes through on its way between files and grants; meaningless between calls. */
  readonly scratch = new Uint8Array(1 << 17);

  constructor(context: ServerContext, options: VfsOptions) {
    const { store } = context;
    this.context = context;
    this.kernel = context.kernel;
    this.options = options;
    this.processes = store.table('vfs:process');
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
    this.locks = store.table('vfs:lock');
    this.lockWaits = store.table('vfs:lock-wait');
  }

  now(): Time {
    return this.context.realtime();
  }

  wake(channel: string): void {
    this.context.wake(channel);
  }
}
