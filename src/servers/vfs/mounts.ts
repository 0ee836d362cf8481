/**
 * Mounts and superblocks: which file system an inode belongs to, what covers a directory, and how file systems are made.
 * A superblock's number is the minor of its device number (st_dev); mount 1 is the root; mounts 2 (pipes), 3
 * (descriptors that stand for no file) and 4 (memory files) are mounted nowhere.
 */
import { EBUSY, EINVAL, ENODEV, Errno, type Result } from '../../abi/errno.ts';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from '../../abi/mount.ts';
import type { FileSystem } from '../../fs/contract.ts';
import { Devfs } from '../../fs/devfs.ts';
import { HostFs } from '../../fs/host/hostfs.ts';
import { numberOf } from '../../fs/object-number.ts';
import { Overlay } from '../../fs/overlay/overlay.ts';
import { Procfs } from '../../fs/procfs/procfs.ts';
import { Ramfs } from '../../fs/ramfs/ramfs.ts';
import { TarFs } from '../../fs/tar/tarfs.ts';
import { AnonymousFs } from './events/anonymous-fs.ts';
import { MqueueFs } from './mqueue/mqueuefs.ts';
import { PipeFs } from './pipe/pipefs.ts';
import { ProcView } from './proc-view.ts';
import type { Mount, Place, Superblock } from './rows.ts';
import { SocketFs } from './socket/socketfs.ts';
import type { Vfs } from './state.ts';
import { Devpts, devptsOptions } from './terminal/devpts.ts';

export const ROOT_MOUNT = 1;
export const PIPE_MOUNT = 2;
/** Descriptors that stand for no file. */
export const ANONYMOUS_MOUNT = 3;
/** Source of the mount of a host folder that is the root itself. */
export const ROOT_FOLDER = 'root';
/** The mount of sockets. */
export const SOCKET_MOUNT = 4;
/** Files in memory that never had a name (memfd_create). */
export const MEMORY_MOUNT = 5;

/** Key of a directory in `mountPoints`. */
export const pointKey = numberOf;

/** The number of an inode as object: what mappings and locks are keyed by. */
export const objectOf = (vfs: Vfs, place: Place): number =>
  numberOf(vfs.mounts.get(place.mount)!.superblock, place.ino);

/** File system types that mount(2) knows, and whether they need a device (/proc/filesystems). */
export const fileSystemTypes: readonly (readonly [name: string, nodev: boolean])[] = [
  ['tmpfs', true],
  ['ramfs', true],
  ['devtmpfs', true],
  ['proc', true],
  ['pipefs', true],
  ['anon_inodefs', true],
  ['sockfs', true],
  ['devpts', true],
  ['mqueue', true],
  ['host', true],
  ['overlay', true],
];

/** Reads `size=64m,mode=1777` as tmpfs(5) does. */
const parseOptions = (options: string): Map<string, string> => {
  const parsed = new Map<string, string>();
  for (const item of options.split(',')) {
    const at = item.indexOf('=');
    if (item !== '') parsed.set(at < 0 ? item : item.slice(0, at), at < 0 ? '' : item.slice(at + 1));
  }
  return parsed;
};

/** Bytes from `4096`, `64k`, `10m`, `1g` or `50%` of memory; undefined if it is none of them. */
const parseSize = (text: string, memory: number): number | undefined => {
  const match = /^(\d+)([kmg%]?)$/i.exec(text);
  if (match === null) return undefined;
  const unit = match[2].toLowerCase();
  const count = Number(match[1]);
  if (unit === '%') return Math.floor((memory * count) / 100);
  return count * (unit === 'k' ? 1 << 10 : unit === 'm' ? 1 << 20 : unit === 'g' ? 1 << 30 : 1);
};

/** Options of tmpfs(5) that mean something here; ramfs takes any. */
const TMPFS_OPTIONS = new Set(['size', 'nr_inodes', 'mode', 'uid', 'gid']);

const makeFileSystem = (vfs: Vfs, number: number, row: Superblock): Result<FileSystem> => {
  const { store } = vfs.context;
  const now = (): ReturnType<Vfs['now']> => vfs.now();
  const name = `fs${number}`;
  switch (row.type) {
    case 'tmpfs':
    case 'ramfs': {
      const options = parseOptions(row.options);
      if (row.type === 'tmpfs') for (const name of options.keys()) if (!TMPFS_OPTIONS.has(name)) return EINVAL;
      const memory = vfs.kernel.system().memoryTotal;
      const half = Number.isFinite(memory) && memory > 0 ? memory / 2 : Infinity;
      const size = options.has('size') ? parseSize(options.get('size')!, memory) : half;
      const inodes = options.has('nr_inodes') ? parseSize(options.get('nr_inodes')!, memory) : half / 4096;
      const mode = options.has('mode') ? Number.parseInt(options.get('mode')!, 8) : 0o1777;
      if (size === undefined || inodes === undefined || Number.isNaN(mode)) return EINVAL;
      return new Ramfs(store, now, {
        name,
        type: row.type,
        maxBytes: size === 0 ? Infinity : size,
        maxInodes: inodes === 0 ? Infinity : inodes,
        rootMode: mode & 0o7777,
        uid: Number(options.get('uid') ?? 0) || 0,
        gid: Number(options.get('gid') ?? 0) || 0,
      });
    }
    case 'devtmpfs':
      return new Devfs(store, now, name);
    case 'proc':
      return new Procfs(new ProcView(vfs));
    case 'pipefs':
      return new PipeFs(vfs);
    case 'anon_inodefs':
      return new AnonymousFs();
    case 'mqueue':
      return new MqueueFs(vfs);
    case 'sockfs':
      return new SocketFs(vfs);
    case 'devpts': {
      const options = devptsOptions(parseOptions(row.options));
      return options instanceof Errno ? options : new Devpts(vfs, options);
    }
    case 'overlay': {
      const { root } = vfs.options;
      // Programs cannot mount it: the only one is the root.
      if (root === undefined || !('layers' in root)) return ENODEV;
      const layers = root.layers.map((layer, i) =>
        'tree' in layer ? new TarFs(layer.tree) : new HostFs(store, layer.directory, `${name}:layer${i}`),
      );
      const memory = vfs.kernel.system().memoryTotal;
      const limited = Number.isFinite(memory) && memory > 0;
      return new Overlay(store, now, layers, {
        name,
        maxBytes: limited ? memory / 2 : undefined,
        maxInodes: limited ? Math.floor(memory / 8192) : undefined,
      });
    }
    case 'host': {
      const { root } = vfs.options;
      const isRoot = row.source === ROOT_FOLDER && root !== undefined && 'folder' in root;
      const directory = isRoot ? root.folder : vfs.options.hostDirectory?.(row.source);
      return directory === undefined ? ENODEV : new HostFs(store, directory, name);
    }
    default:
      return ENODEV;
  }
};

/** The file system of a superblock. */
export const fileSystem = (vfs: Vfs, superblock: number): FileSystem => {
  const row = vfs.superblocks.get(superblock)!;
  const cached = vfs.fileSystems.get(superblock);
  if (cached !== undefined && cached.row === row) return cached.fs;
  const fs = makeFileSystem(vfs, superblock, row);
  if (fs instanceof Errno) throw new Error(`superblock ${superblock} (${row.type}) cannot be opened: ${fs.name}`);
  vfs.fileSystems.set(superblock, { row, fs });
  return fs;
};

export const fileSystemOf = (vfs: Vfs, mount: number): FileSystem => {
  const row = vfs.mounts.get(mount)!;
  const cached = vfs.mounted[mount];
  if (cached !== undefined && cached.row === row) return cached.fs;
  const fs = fileSystem(vfs, row.superblock);
  vfs.mounted[mount] = { row, fs };
  return fs;
};

export const isReadOnly = (vfs: Vfs, mount: number): boolean => (vfs.mounts.get(mount)!.flags & MS_RDONLY) !== 0;

/** Follows what is mounted on a place, as often as it takes. */
export const cross = (vfs: Vfs, place: Place): Place => {
  let over = vfs.mountPoints.get(pointKey(place.mount, place.ino));
  while (over !== undefined) {
    place = { mount: over.mount, ino: vfs.mounts.get(over.mount)!.root };
    over = vfs.mountPoints.get(pointKey(place.mount, place.ino));
  }
  return place;
};

/** Makes a superblock. EINVAL for bad options, ENODEV for an unknown type or host directory. */
export const addSuperblock = (vfs: Vfs, type: string, source: string, options: string): Result<number> => {
  const row: Superblock = { type, source, options };
  const number = vfs.superblockNumbers.next();
  const fs = makeFileSystem(vfs, number, row);
  if (fs instanceof Errno) return fs;
  vfs.superblocks.set(number, row);
  vfs.fileSystems.set(number, { row, fs });
  return number;
};

/** Mounts a superblock on a directory; `parent` 0 for one that is mounted nowhere. EBUSY if the place is the root's own. */
export const addMount = (
  vfs: Vfs,
  superblock: number,
  parent: Place,
  source: string,
  flags: number,
): Result<number> => {
  const key = pointKey(parent.mount, parent.ino);
  if (parent.mount !== 0 && vfs.mountPoints.has(key)) return EBUSY;
  const row: Mount = {
    superblock,
    parent: parent.mount,
    point: parent.ino,
    root: fileSystem(vfs, superblock).root,
    source,
    flags,
  };
  const number = vfs.mountNumbers.next();
  vfs.mounts.set(number, row);
  if (parent.mount !== 0) vfs.mountPoints.set(key, { mount: number });
  return number;
};

/** The options field of /proc/mounts. */
export const mountOptions = (vfs: Vfs, mount: Mount): string => {
  const { options } = vfs.superblocks.get(mount.superblock)!;
  const words = [mount.flags & MS_RDONLY ? 'ro' : 'rw'];
  if (mount.flags & MS_NOSUID) words.push('nosuid');
  if (mount.flags & MS_NODEV) words.push('nodev');
  if (mount.flags & MS_NOEXEC) words.push('noexec');
  words.push('relatime');
  if (options !== '') words.push(options);
  return words.join(',');
};
