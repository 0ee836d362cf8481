/**
 * procfs: processes and the system as files, proc(5). Nothing is stored; contents are made when they are read.
 *
 * Inode numbers, stable as long as what they name:
 *
 *     1                          the root
 *     2 …                        files and directories of the system, in the order of their table
 *     PID * 65536 + 1            /proc/PID
 *     PID * 65536 + 2 …          its entries, in the order of `entries`
 *     TID * 65536 + 0x400 …      /proc/PID/task/TID and its entries; a thread's number stands for it everywhere, as in Linux
 *     PID * 65536 + 0x4000 + fd  /proc/PID/fdinfo/FD (fd < 0x4000)
 *     PID * 65536 + 0x8000 + fd  /proc/PID/fd/FD (fd < 0x8000)
 *
 * A process's files belong to its effective user. What gives away its memory or its files is for that user and root only.
 */
import { EACCES, EINVAL, ENOENT, ENOTDIR, EPERM, Errno, type Result } from '../../abi/errno.ts';
import { PROC_MAGIC } from '../../abi/mount.ts';
import { S_IFDIR, S_IFLNK, S_IFREG, type Time } from '../../abi/stat.ts';
import type { ProcessView } from '../../ipc/kernel-calls.ts';
import type { Attributes, DirectoryEntry, FileSystem, Jump, SpaceUse } from '../contract.ts';
import { fdinfo, type ProcessFile, processFiles } from './process-files.ts';
import { settings } from './settings.ts';
import type { ProcLink, ProcSource } from './source.ts';
import { systemFiles } from './system-files.ts';

const ROOT = 1;
const SPAN = 65536;
const PROCESS = 1;
const FIRST = 2;
const TASK = 0x400;
const FDINFO = 0x4000;
const FD = 0x8000;

interface SystemNode {
  readonly name: string;
  readonly parent: number;
  readonly content?: (source: ProcSource) => string;
  /** Path of the setting that the file is. */
  readonly setting?: string;
  /** `self` and `thread-self`, and links with a constant text. */
  readonly link?: (pid: number) => Result<string>;
  readonly children: number[];
}

const selfLink = (pid: number): Result<string> => (pid === 0 ? ENOENT : String(pid));

/** Builds the fixed part of the tree from the paths; index + 2 is the inode number. */
const buildSystem = (): readonly SystemNode[] => {
  const nodes: SystemNode[] = [];
  const rootChildren: number[] = [];
  const numbers = new Map<string, number>([['', ROOT]]);
  const childrenOf = (ino: number): number[] => (ino === ROOT ? rootChildren : nodes[ino - 2].children);
  const add = (path: string, rest: Pick<SystemNode, 'content' | 'link' | 'setting'>): number => {
    const slash = path.lastIndexOf('/');
    const directory = slash < 0 ? '' : path.slice(0, slash);
    const parent = numbers.get(directory) ?? add(directory, {});
    nodes.push({ name: path.slice(slash + 1), parent, children: [], ...rest });
    const ino = nodes.length + 1;
    numbers.set(path, ino);
    childrenOf(parent).push(ino);
    return ino;
  };
  for (const [path, content] of systemFiles) add(path, { content });
  for (const path of Object.keys(settings))
    add(`sys/${path}`, { setting: path, content: (source) => `${source.setting(path)}\n` });
  add('self', { link: selfLink });
  add('thread-self', { link: (pid) => (pid === 0 ? ENOENT : `${pid}/task/${pid}`) });
  add('mounts', { link: () => 'self/mounts' });
  return nodes;
};

const system = buildSystem();
const rootNodes = system.flatMap((node, index) => (node.parent === ROOT ? [index + 2] : []));

interface ProcessNode {
  readonly name: string;
  readonly mode: number;
  readonly file?: ProcessFile;
  readonly link?: ProcLink;
}

const directoryNode = (name: string, mode: number): ProcessNode => ({ name, mode: S_IFDIR | mode });
const linkNode = (name: ProcLink): ProcessNode => ({ name, mode: S_IFLNK | 0o777, link: name });
const fileNode = (file: ProcessFile): ProcessNode => ({ name: file.name, mode: S_IFREG | file.mode, file });

/** Entries of /proc/PID; those of /proc/PID/task/PID are the same but for `task`. */
const entries: readonly ProcessNode[] = [
  directoryNode('fd', 0o500),
  directoryNode('fdinfo', 0o555),
  directoryNode('task', 0o555),
  linkNode('cwd'),
  linkNode('root'),
  linkNode('exe'),
  ...processFiles.map(fileNode),
];
const FD_DIRECTORY = FIRST;
const FDINFO_DIRECTORY = FIRST + 1;
const TASK_DIRECTORY = FIRST + 2;
/** /proc/PID/task/PID itself; its entries follow. */
const TASK_PROCESS = TASK;
const TASK_FIRST = TASK + 1;

/** Whether an entry of /proc/PID stands in /proc/PID/task/TID too. */
const perThread = (name: string): boolean =>
  name !== 'task' && (processFiles.find((file) => file.name === name)?.perThread ?? true);

const refuse = (): Errno => EPERM;
/** What procfs does not show does not exist, and cannot be made to. */
const absent = (): Errno => ENOENT;

export class Procfs implements FileSystem {
  readonly type = 'proc';
  readonly root = ROOT;
  readonly blockSize = 1024;
  readonly #source: ProcSource;

  constructor(source: ProcSource) {
    this.#source = source;
  }

  getattr(ino: number): Result<Attributes> {
    if (ino < SPAN) {
      const node = system[ino - 2];
      const boot = this.#source.system().bootTime;
      if (ino === ROOT) return attributes(S_IFDIR | 0o555, 2 + this.#source.processes().length, 0, 0, boot);
      if (node === undefined) return ENOENT;
      if (node.link !== undefined) return attributes(S_IFLNK | 0o777, 1, 0, 0, boot);
      if (node.content === undefined) return attributes(S_IFDIR | 0o555, 2, 0, 0, boot);
      return attributes(S_IFREG | (node.setting === undefined ? 0o444 : 0o644), 1, 0, 0, boot);
    }
    const view = this.#process(ino);
    if (view instanceof Errno) return view;
    const { bootTime } = this.#source.system();
    const start = { seconds: bootTime.seconds + Math.floor(view.startTime / 1e9), nanoseconds: 0 };
    const node = this.#node(ino);
    if (node instanceof Errno) return node;
    const links = (node.mode & 0o170000) === S_IFDIR ? (ino % SPAN === PROCESS ? 5 : 2) : 1;
    return attributes(node.mode, links, view.euid, view.egid, start);
  }

  touch(): void {}
  setattr = refuse;
  create = absent;
  link = absent;
  unlink = refuse;
  rmdir = refuse;
  rename = refuse;
  truncate = (): Result<void> => undefined;
  punch = refuse;
  seek = (): Result<number> => EINVAL;
  sync = (): Result<void> => undefined;
  forget(): void {}
  destroy(): void {}

  lookup(directory: number, name: string): Result<number> {
    if (directory < SPAN) {
      if (directory !== ROOT && system[directory - 2]?.content !== undefined) return ENOTDIR;
      const children = directory === ROOT ? rootNodes : (system[directory - 2]?.children ?? []);
      const found = children.find((ino) => system[ino - 2].name === name);
      if (found !== undefined) return found;
      if (directory !== ROOT || !/^[1-9]\d{0,4}$/.test(name)) return ENOENT;
      const ino = Number(name) * SPAN + PROCESS;
      return this.#process(ino) instanceof Errno ? ENOENT : ino;
    }
    const local = directory % SPAN;
    const base = directory - local;
    const view = this.#process(directory);
    if (view instanceof Errno) return ENOENT;
    const { pid } = view;
    if (local === PROCESS || local === TASK_PROCESS) {
      const index = entries.findIndex((entry) => entry.name === name);
      if (index < 0 || (local === TASK_PROCESS && !perThread(name))) return ENOENT;
      return base + (local === PROCESS ? FIRST : TASK_FIRST) + index;
    }
    if (local === TASK_DIRECTORY) {
      const tid = view.threadIds.find((id) => String(id) === name);
      return tid === undefined ? ENOENT : tid * SPAN + TASK_PROCESS;
    }
    const kind = this.#descriptorDirectory(local);
    if (kind === 0) return ENOTDIR;
    if (!/^(0|[1-9]\d{0,4})$/.test(name)) return ENOENT;
    const fd = Number(name);
    if (!this.#source.descriptors(pid).includes(fd) || fd >= SPAN - kind || fd >= 0x8000) return ENOENT;
    return base + kind + fd;
  }

  parent(directory: number): Result<number> {
    if (directory < SPAN) return directory === ROOT ? ROOT : (system[directory - 2]?.parent ?? ENOENT);
    const base = directory - (directory % SPAN);
    const local = directory % SPAN;
    if (local === PROCESS) return ROOT;
    if (local === TASK_PROCESS) {
      const view = this.#process(directory);
      return view instanceof Errno ? ENOENT : view.pid * SPAN + TASK_DIRECTORY;
    }
    return local >= TASK_FIRST && local < FDINFO ? base + TASK_PROCESS : base + PROCESS;
  }

  nameOf(directory: number, child: number): Result<string> {
    if (child < SPAN) return child === ROOT ? ENOENT : system[child - 2].name;
    if (directory === ROOT || child % SPAN === TASK_PROCESS) return String(Math.floor(child / SPAN));
    const node = this.#node(child);
    return node instanceof Errno ? node : node.name;
  }

  readlink(ino: number, pid: number): Result<string> {
    if (ino < SPAN) return system[ino - 2]?.link?.(pid) ?? EINVAL;
    const view = this.#process(ino);
    if (view instanceof Errno) return view;
    const target = view.pid;
    const refused = this.#private(target, pid);
    if (refused !== undefined) return refused;
    const local = ino % SPAN;
    if (local >= FD) {
      const file = this.#source.file(target, local - FD);
      return file instanceof Errno ? ENOENT : file.path;
    }
    const node = this.#node(ino);
    if (node instanceof Errno) return node;
    return node.link === undefined ? EINVAL : this.#source.link(target, node.link);
  }

  jump(ino: number, pid: number): Result<Jump> | undefined {
    if (ino < SPAN) return undefined;
    const view = this.#process(ino);
    if (view instanceof Errno) return undefined;
    const target = view.pid;
    const local = ino % SPAN;
    const node = this.#node(ino);
    if (node instanceof Errno) return node;
    if (local < FD && node.link === undefined) return undefined;
    const refused = this.#private(target, pid);
    if (refused !== undefined) return refused;
    return local >= FD ? this.#source.fileJump(target, local - FD) : this.#source.linkJump(target, node.link!);
  }

  readdir(directory: number, cookie: number, emit: (entry: DirectoryEntry) => boolean): Result<void> {
    // Cookies: 3 + position for fixed entries, and behind them 4096 + PID (or fd), so that both stay stable.
    const fixed = this.#fixedEntries(directory);
    if (fixed instanceof Errno) return fixed;
    for (let i = Math.max(0, cookie - 2); i < fixed.length; i++) if (!emit({ ...fixed[i], cookie: i + 3 })) return;
    const owner = directory < SPAN ? undefined : this.#process(directory);
    const pid = owner === undefined || owner instanceof Errno ? 0 : owner.pid;
    const kind = directory < SPAN ? 0 : this.#descriptorDirectory(directory % SPAN);
    const base = 4096;
    const type = kind === FD ? S_IFLNK >>> 12 : kind === FDINFO ? S_IFREG >>> 12 : S_IFDIR >>> 12;
    const numbers =
      directory === ROOT
        ? [...this.#source.processes()].sort((a, b) => a - b)
        : kind === 0
          ? []
          : this.#source.descriptors(pid);
    for (const number of numbers) {
      if (base + number <= cookie) continue;
      const ino = directory === ROOT ? number * SPAN + PROCESS : directory - (directory % SPAN) + kind + number;
      if (!emit({ name: String(number), ino, type, cookie: base + number })) return;
    }
  }

  read(ino: number, offset: number, into: Uint8Array): Result<number> {
    const content = this.#content(ino);
    if (content instanceof Errno) return content;
    const count = Math.max(0, Math.min(into.length, content.length - offset));
    if (typeof content === 'string') for (let i = 0; i < count; i++) into[i] = content.charCodeAt(offset + i);
    else if (count > 0) into.set(content.subarray(offset, offset + count));
    return count;
  }

  /** Sets what may be set, with one write at the beginning. */
  write(ino: number, offset: number, bytes: Uint8Array): Result<number> {
    const path = ino < SPAN ? system[ino - 2]?.setting : undefined;
    if (path === undefined) return EPERM;
    if (offset !== 0) return bytes.length;
    const value = settings[path].parse(String.fromCharCode(...bytes.subarray(0, 256)));
    if (value instanceof Errno) return value;
    this.#source.changeSetting(path, value);
    return bytes.length;
  }

  statfs(): Result<SpaceUse> {
    return { magic: PROC_MAGIC, blockSize: 4096, blocks: 0, blocksFree: 0, files: 0, filesFree: 0, nameLength: 255 };
  }

  #content(ino: number): Result<string | Uint8Array> {
    if (ino < SPAN) return system[ino - 2]?.content?.(this.#source) ?? EINVAL;
    const view = this.#process(ino);
    if (view instanceof Errno) return Errno.of(3);
    const local = ino % SPAN;
    if (local >= FDINFO && local < FD) return fdinfo(this.#source, view.pid, local - FDINFO);
    const node = this.#node(ino);
    if (node instanceof Errno) return node;
    if (node.file === undefined) return EINVAL;
    const thread = local >= TASK_PROCESS && local < FDINFO ? this.#source.thread(Math.floor(ino / SPAN)) : undefined;
    return node.file.content(this.#source, view, thread instanceof Errno ? undefined : thread);
  }

  #process(ino: number): Result<ProcessView> {
    const number = Math.floor(ino / SPAN);
    const view = this.#source.process(number);
    if (!(view instanceof Errno)) return view;
    const thread = this.#source.thread(number);
    if (thread instanceof Errno) return ENOENT;
    const owner = this.#source.process(thread.pid);
    return owner instanceof Errno ? ENOENT : owner;
  }

  #node(ino: number): Result<ProcessNode> {
    const local = ino % SPAN;
    if (local === PROCESS || local === TASK_PROCESS) return directoryNode(String(Math.floor(ino / SPAN)), 0o555);
    if (local >= FD) {
      const view = this.#process(ino);
      const file = view instanceof Errno ? view : this.#source.file(view.pid, local - FD);
      if (file instanceof Errno) return ENOENT;
      const access = file.flags & 3;
      const bits = (access === 1 ? 0 : 0o500) | (access === 0 ? 0 : 0o300);
      return { name: String(local - FD), mode: S_IFLNK | bits };
    }
    if (local >= FDINFO) return { name: String(local - FDINFO), mode: S_IFREG | 0o400 };
    return entries[local >= TASK ? local - TASK_FIRST : local - FIRST] ?? ENOENT;
  }

  /** 0x8000 for an fd directory, 0x4000 for fdinfo, 0 for none. */
  #descriptorDirectory(local: number): number {
    const entry = local >= TASK ? local - TASK_FIRST + FIRST : local;
    return entry === FD_DIRECTORY ? FD : entry === FDINFO_DIRECTORY ? FDINFO : 0;
  }

  #fixedEntries(directory: number): Result<Omit<DirectoryEntry, 'cookie'>[]> {
    if (directory < SPAN) {
      const node = system[directory - 2];
      if (directory !== ROOT && (node === undefined || node.content !== undefined)) return ENOTDIR;
      return (directory === ROOT ? rootNodes : node.children).map((ino) => {
        const child = system[ino - 2];
        const mode = child.link !== undefined ? S_IFLNK : child.content === undefined ? S_IFDIR : S_IFREG;
        return { name: child.name, ino, type: mode >>> 12 };
      });
    }
    const view = this.#process(directory);
    if (view instanceof Errno) return ENOENT;
    const base = directory - (directory % SPAN);
    const local = directory % SPAN;
    if (local === TASK_DIRECTORY)
      return view.threadIds.map((tid) => ({ name: String(tid), ino: tid * SPAN + TASK_PROCESS, type: 4 }));
    if (local !== PROCESS && local !== TASK_PROCESS) return this.#descriptorDirectory(local) === 0 ? ENOTDIR : [];
    const first = base + (local === PROCESS ? FIRST : TASK_FIRST);
    return entries
      .map(({ name, mode }, i) => ({ name, ino: first + i, type: (mode & 0o170000) >>> 12 }))
      .filter(({ name }) => local === PROCESS || perThread(name));
  }

  /** What ptrace access would be needed for: refused unless all of the target's ids are the caller's. */
  #private(target: number, pid: number): Errno | undefined {
    if (pid === 0 || pid === target) return undefined;
    const caller = this.#source.process(pid);
    const view = this.#source.process(target);
    if (view instanceof Errno) return ENOENT;
    if (caller instanceof Errno) return EACCES;
    if (caller.fsuid === 0) return undefined;
    const { fsuid, fsgid } = caller;
    const same =
      view.uid === fsuid &&
      view.euid === fsuid &&
      view.suid === fsuid &&
      view.gid === fsgid &&
      view.egid === fsgid &&
      view.sgid === fsgid;
    return same ? undefined : EACCES;
  }
}

const attributes = (mode: number, nlink: number, uid: number, gid: number, time: Time): Attributes => ({
  mode,
  nlink,
  uid,
  gid,
  rdev: 0,
  size: 0,
  blocks: 0,
  atime: time,
  mtime: time,
  ctime: time,
  version: 0,
});
