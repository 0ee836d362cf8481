/**
 * The file systems that there are before anything runs: the root (1), the pipes (2) and what stands for no
 * file (3), then /dev and /proc. Done once: a
 * server that comes back after a crash finds them in the store.
 */
import { Errno } from '../../abi/errno.ts';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID } from '../../abi/mount.ts';
import { isDirectory, S_IFDIR } from '../../abi/stat.ts';
import {
  ANONYMOUS_MOUNT,
  addMount,
  addSuperblock,
  fileSystemOf,
  MEMORY_MOUNT,
  PIPE_MOUNT,
  ROOT_FOLDER,
  ROOT_MOUNT,
  SOCKET_MOUNT,
} from './mounts.ts';
import type { Vfs } from './state.ts';

/** Where nothing is mounted on. */
const NOWHERE = { mount: 0, ino: 0 };

/** Type and options of the root's superblock. */
const rootType = ({ options: { root } }: Vfs): readonly [type: string, options: string] => {
  if (root === undefined) return ['tmpfs', 'mode=755'];
  return 'layers' in root ? ['overlay', ''] : ['host', ''];
};

const must = (value: number | Errno): number => {
  if (value instanceof Errno) throw new Error(`the root file system cannot be made: ${value.name}`);
  return value;
};

export const bootFileSystems = (vfs: Vfs): void => {
  if (vfs.mounts.has(ROOT_MOUNT)) return;
  const [type, options] = rootType(vfs);
  const root = must(addMount(vfs, must(addSuperblock(vfs, type, ROOT_FOLDER, options)), NOWHERE, ROOT_FOLDER, 0));
  const pipes = must(addMount(vfs, must(addSuperblock(vfs, 'pipefs', 'pipefs', '')), NOWHERE, 'pipefs', 0));
  const anonymous = must(
    addMount(vfs, must(addSuperblock(vfs, 'anon_inodefs', 'anon_inodefs', '')), NOWHERE, 'anon_inodefs', 0),
  );
  const sockets = must(addMount(vfs, must(addSuperblock(vfs, 'sockfs', 'sockfs', '')), NOWHERE, 'sockfs', 0));
  if (sockets !== SOCKET_MOUNT) throw new Error('mount numbers are taken');
  const memory = must(addMount(vfs, must(addSuperblock(vfs, 'tmpfs', 'memfd', 'size=0')), NOWHERE, 'memfd', 0));
  if (root !== ROOT_MOUNT || pipes !== PIPE_MOUNT || anonymous !== ANONYMOUS_MOUNT || memory !== MEMORY_MOUNT)
    throw new Error('mount numbers are taken');
  const fs = fileSystemOf(vfs, root);
  /** A directory of the root; a root that brings something else under that name loses it. */
  const directory = (name: string, mode: number): { mount: number; ino: number } => {
    const there = fs.lookup(fs.root, name);
    if (!(there instanceof Errno)) {
      const attributes = fs.getattr(there);
      if (!(attributes instanceof Errno) && isDirectory(attributes.mode)) return { mount: root, ino: there };
      fs.unlink(fs.root, name);
      fs.forget(there);
    }
    return { mount: root, ino: must(fs.create(fs.root, name, { mode: S_IFDIR | mode, uid: 0, gid: 0 })) };
  };
  const devtmpfs = must(addSuperblock(vfs, 'devtmpfs', 'devtmpfs', ''));
  const dev = must(addMount(vfs, devtmpfs, directory('dev', 0o755), 'devtmpfs', MS_NOSUID));
  const procFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  addMount(vfs, must(addSuperblock(vfs, 'proc', 'proc', '')), directory('proc', 0o555), 'proc', procFlags);
  const devices = fileSystemOf(vfs, dev);
  const pts = must(devices.create(devices.root, 'pts', { mode: S_IFDIR | 0o755, uid: 0, gid: 0 }));
  const ptsOptions = 'gid=5,mode=620,ptmxmode=666';
  const ptsFlags = MS_NOSUID | MS_NOEXEC;
  addMount(vfs, must(addSuperblock(vfs, 'devpts', 'devpts', ptsOptions)), { mount: dev, ino: pts }, 'devpts', ptsFlags);
  const queues = must(devices.create(devices.root, 'mqueue', { mode: S_IFDIR | 0o1777, uid: 0, gid: 0 }));
  const queuePoint = { mount: dev, ino: queues };
  addMount(
    vfs,
    must(addSuperblock(vfs, 'mqueue', 'mqueue', '')),
    queuePoint,
    'mqueue',
    MS_NOSUID | MS_NODEV | MS_NOEXEC,
  );
  directory('tmp', 0o1777);
};
