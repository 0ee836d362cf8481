/**
 * devfs: what stands in /dev. As Linux's devtmpfs, a ramfs that begins with the nodes of the devices there are; programs may
 * add names of their own. What a node does when it is opened is the VFS's affair (device numbers as in devices.txt).
 */
import { Errno } from '../abi/errno.ts';
import { makedev, S_IFCHR, S_IFDIR, S_IFLNK, type Time } from '../abi/stat.ts';
import type { Store } from '../ipc/store.ts';
import { Ramfs } from './ramfs/ramfs.ts';

/** Group that owns terminals. */
const TTY_GROUP = 5;
/** Number of ttyN nodes. */
const TERMINALS = 16;

const devices: readonly (readonly [name: string, major: number, minor: number, mode: number])[] = [
  ['null', 1, 3, 0o666],
  ['zero', 1, 5, 0o666],
  ['full', 1, 7, 0o666],
  ['random', 1, 8, 0o666],
  ['urandom', 1, 9, 0o666],
  ['tty', 5, 0, 0o666],
  ['console', 5, 1, 0o600],
  ['ptmx', 5, 2, 0o666],
];

const links: readonly (readonly [name: string, target: string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
];

const MAX_BYTES = 16 << 20;
const MAX_INODES = 4096;

export class Devfs extends Ramfs {
  constructor(store: Store, now: () => Time, name: string) {
    super(store, now, { name, type: 'devtmpfs', maxBytes: MAX_BYTES, maxInodes: MAX_INODES });
    if (!(this.lookup(this.root, 'null') instanceof Errno)) return;
    for (const [device, major, minor, mode] of devices)
      this.create(this.root, device, { mode: S_IFCHR | mode, uid: 0, gid: 0, rdev: makedev(major, minor) });
    for (let n = 1; n <= TERMINALS; n++)
      this.create(this.root, `tty${n}`, { mode: S_IFCHR | 0o620, uid: 0, gid: TTY_GROUP, rdev: makedev(4, n) });
    for (const [link, target] of links) this.create(this.root, link, { mode: S_IFLNK | 0o777, uid: 0, gid: 0, target });
    this.create(this.root, 'shm', { mode: S_IFDIR | 0o1777, uid: 0, gid: 0 });
  }
}
