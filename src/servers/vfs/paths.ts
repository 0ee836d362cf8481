/** From an inode back to its path: getcwd(2), /proc/PID/cwd, /proc/PID/fd. */
import { ENOENT, Errno, type Result } from '../../abi/errno.ts';
import type { Actor } from './actor.ts';
import { ANONYMOUS_MOUNT, fileSystemOf, MEMORY_MOUNT, PIPE_MOUNT, SOCKET_MOUNT } from './mounts.ts';
import type { OpenFile, Place } from './rows.ts';
import type { Vfs } from './state.ts';

const DEPTH_MAX = 4096;

/** Path of a directory below `root`. ENOENT if it was removed; `(unreachable)` before what is not below the root. */
export const directoryPath = (vfs: Vfs, place: Place, root: Place): Result<string> => {
  let { mount, ino } = place;
  let path = '';
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    if (mount === root.mount && ino === root.ino) return path === '' ? '/' : path;
    const row = vfs.mounts.get(mount)!;
    if (ino === row.root) {
      if (row.parent === 0) return `(unreachable)${path === '' ? '/' : path}`;
      ino = row.point;
      mount = row.parent;
      continue;
    }
    const fs = fileSystemOf(vfs, mount);
    const attributes = fs.getattr(ino);
    if (attributes instanceof Errno || attributes.nlink === 0) return ENOENT;
    const parent = fs.parent(ino);
    if (parent instanceof Errno) return ENOENT;
    const name = fs.nameOf(parent, ino);
    if (name instanceof Errno) return ENOENT;
    path = `/${name}${path}`;
    ino = parent;
  }
  return ENOENT;
};

export const rootOf = (actor: Pick<Actor, 'process'>): Place => ({
  mount: actor.process.rootMount,
  ino: actor.process.rootIno,
});

/** Path of anything that was found by name in a directory. */
export const childPath = (vfs: Vfs, parent: Place, name: string, root: Place): Result<string> => {
  const directory = directoryPath(vfs, parent, root);
  if (directory instanceof Errno) return directory;
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
};

/** What /proc/PID/fd/N shows: the path, `pipe:[12]`, or the old path and ` (deleted)`. */
export const openFilePath = (vfs: Vfs, file: Readonly<OpenFile>, root: Place): string => {
  if (file.mount === ANONYMOUS_MOUNT) return file.name;
  if (file.mount === SOCKET_MOUNT) return `socket:[${file.ino}]`;
  if (file.mount === MEMORY_MOUNT) return `/${file.name} (deleted)`;
  if (file.mount === PIPE_MOUNT) return `pipe:[${file.ino}]`;
  if (file.kind === 'directory' || file.parent === 0) {
    const path = directoryPath(vfs, { mount: file.mount, ino: file.ino }, root);
    return path instanceof Errno ? `/${file.name} (deleted)` : path;
  }
  const fs = fileSystemOf(vfs, file.mount);
  const attributes = fs.getattr(file.ino);
  const parent = { mount: file.mount, ino: file.parent };
  if (attributes instanceof Errno || attributes.nlink === 0)
    return `${String(childPath(vfs, parent, file.name, root))} (deleted)`;
  const moved = fs.lookup(file.parent, file.name) === file.ino ? file.name : fs.nameOf(file.parent, file.ino);
  const path = childPath(vfs, parent, moved instanceof Errno ? file.name : moved, root);
  return path instanceof Errno ? `/${file.name} (deleted)` : path;
};
