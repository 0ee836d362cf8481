/**
 * The file systems that there are before anything runs: the root (1), the pipes (2) and what stands for no
 * file (3), then /dev and /proc. Done once: a
 * server that comes back after a crash finds them in the store.
 */
import { Errno } from '../../abi/errno.ts';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID } from '../../abi/mount.ts';
import { S_IFDIR } from '../../abi/stat.ts';
import { ANONYMOUS_MOUNT, addMount, addSuperblock, fileSystemOf, PIPE_MOUNT, ROOT_MOUNT } from './mounts.ts';
import type { Vfs } from './state.ts';

/** Where nothing is mounted on. */
const NOWHERE = { mount: 0, ino: 0 };

const must = (value: number | Errno): number => {
  if (value instanceof Errno) throw new Error(`the root file system cannot be made: ${value.name}`);
  return value;
};

export const bootFileSystems = (vfs: Vfs): void => {
  if (vfs.mounts.has(ROOT_MOUNT)) return;
  const root = must(addMount(vfs, must(addSuperblock(vfs, 'tmpfs', 'root', 'mode=755')), NOWHERE, 'root', 0));
  const pipes = must(addMount(vfs, must(addSuperblock(vfs, 'pipefs', 'pipefs', '')), NOWHERE, 'pipefs', 0));
  const anonymous = must(
    addMount(vfs, must(addSuperblock(vfs, 'anon_inodefs', 'anon_inodefs', '')), NOWHERE, 'anon_inodefs', 0),
  );
  if (root !== ROOT_MOUNT || pipes !== PIPE_MOUNT || anonymous !== ANONYMOUS_MOUNT)
    throw new Error('mount numbers are taken');
  const fs = fileSystemOf(vfs, root);
  const directory = (name: string, mode: number): { mount: number; ino: number } => ({
    mount: root,
    ino: must(fs.create(fs.root, name, { mode: S_IFDIR | mode, uid: 0, gid: 0 })),
  });
  const devtmpfs = must(addSuperblock(vfs, 'devtmpfs', 'devtmpfs', ''));
  const dev = must(addMount(vfs, devtmpfs, directory('dev', 0o755), 'devtmpfs', MS_NOSUID));
  const procFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  addMount(vfs, must(addSuperblock(vfs, 'proc', 'proc', '')), directory('proc', 0o555), 'proc', procFlags);
  const devices = fileSystemOf(vfs, dev);
  const pts = must(devices.create(devices.root, 'pts', { mode: S_IFDIR | 0o755, uid: 0, gid: 0 }));
  const ptsOptions = 'gid=5,mode=620,ptmxmode=666';
  const ptsFlags = MS_NOSUID | MS_NOEXEC;
  addMount(vfs, must(addSuperblock(vfs, 'devpts', 'devpts', ptsOptions)), { mount: dev, ino: pts }, 'devpts', ptsFlags);
  directory('tmp', 0o1777);
};
