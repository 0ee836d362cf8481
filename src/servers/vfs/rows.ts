/** Rows of the VFS's tables. README.md says what they are to each other. All fields are plain values: the store copies rows. */
import type { Time } from '../../abi/stat.ts';

/** An inode as the VFS names it: the mount through which it was reached, and its number. */
export interface Place {
  readonly mount: number;
  readonly ino: number;
}

/** What a process has of the VFS besides descriptors (which the kernel's table holds). */
export interface ProcessRow {
  cwdMount: number;
  cwdIno: number;
  rootMount: number;
  rootIno: number;
  umask: number;
}

export type FileKind =
  | 'regular'
  | 'directory'
  | 'pipe'
  | 'null'
  | 'zero'
  | 'full'
  | 'random'
  | 'terminal'
  /** The master of a pseudo-terminal; `target` is the terminal that is its slave. */
  | 'master'
  | 'socket'
  | 'mqueue'
  | 'path'
  | 'eventfd'
  | 'epoll'
  | 'timerfd'
  | 'signalfd'
  | 'pidfd'
  | 'inotify';

/** An open file description: what descriptors of any process share. */
export interface OpenFile {
  readonly kind: FileKind;
  readonly mount: number;
  readonly ino: number;
  /** Access mode and status flags as F_GETFL gives them. */
  flags: number;
  /** Of a terminal: how often it had been hung up when it was opened (TerminalRow.hangups). */
  position: number;
  /** Descriptors, in all processes, that name it. */
  holders: number;
  /** Number of the pipe or terminal; its own number for what is made for events. */
  readonly target: number;
  /** How it was reached: directory (in the same mount) and name, for /proc/PID/fd. 0: not by name. */
  readonly parent: number;
  readonly name: string;
  /** F_SETOWN. */
  owner: number;
}

/** A file system instance. Its number is its device number's minor. */
export interface Superblock {
  readonly type: string;
  readonly source: string;
  /** Options in the syntax of mount(8), without the flags. */
  readonly options: string;
}

export interface Mount {
  readonly superblock: number;
  /** Mount and directory that it covers; parent 0 for the root mount. */
  readonly parent: number;
  readonly point: number;
  readonly root: number;
  readonly source: string;
  /** MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME. */
  flags: number;
}

/** What the VFS knows of an inode that somebody holds (open, cwd, mapping, running program). */
export interface HeldInode {
  holders: number;
  /** Open descriptions that may write. */
  writers: number;
  /** The pipe behind a FIFO while it is open, else 0. */
  pipe: number;
  /** Made without a name (O_TMPFILE without O_EXCL): linkat may give it its first one. */
  linkable: boolean;
}

/** An inode that the kernel has mapped or executes; it holds the inode. */
export interface ObjectRow {
  executed: boolean;
  /** Mapped shared and writable: pages must be pulled before reading. */
  shared: boolean;
}

export interface PipeRow {
  readers: number;
  writers: number;
  /** Opens so far at each end: what a FIFO's open waits to see grow. */
  readerOpens: number;
  writerOpens: number;
  capacity: number;
  /** The ring: where the oldest byte is, and how many there are. */
  start: number;
  length: number;
  /** Ends of the packets in it (O_DIRECT, pipe(7)), counted from the oldest byte; bytes behind the last are a stream. */
  packets: readonly number[];
  /** Attributes of an anonymous pipe's inode. */
  uid: number;
  gid: number;
  mode: number;
  time: Time;
}

/** A FIFO end that waits in open(2) for its peer, by thread. */
export interface Opening extends Place {
  readonly pid: number;
  readonly pipe: number;
  readonly flags: number;
  /** How often the other end had been opened when the wait began. */
  readonly peers: number;
}

/** A pipe whose other end the host holds. */
export interface StreamRow {
  readonly hostWrites: boolean;
}

export interface RecordLock {
  /** PID for POSIX locks; for OFD locks the negated number of the open file. */
  readonly owner: number;
  readonly write: boolean;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Locks of an inode, by object number. */
export interface LockRow {
  records: readonly RecordLock[];
  /** flock(2) holders: open file numbers. */
  flocks: readonly { readonly file: number; readonly exclusive: boolean }[];
}

/** A process that sleeps in F_SETLKW, for deadlock detection. */
export interface LockWait {
  readonly object: number;
  readonly lock: RecordLock;
}
