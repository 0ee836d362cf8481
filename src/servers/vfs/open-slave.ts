/** What /dev/ptmx and its ioctl TIOCGPTPEER need of devpts: options of new slaves, and opening a slave without a path. */
import { EIO, Errno } from '../../abi/errno.ts';
import { O_CLOEXEC } from '../../abi/fcntl.ts';
import type { Delivery, Outcome } from '../../ipc/server.ts';
import { bindDescriptor } from './files.ts';
import { fileSystemOf } from './mounts.ts';
import { adoptTerminal, enterFile } from './open.ts';
import type { Place } from './rows.ts';
import type { Vfs } from './state.ts';
import { Devpts } from './terminal/devpts.ts';
import { mayOpenSlave } from './terminal/pty.ts';
import { ptyNumber } from './terminal/pty-row.ts';

const devpts = (vfs: Vfs, mount: number): Devpts | undefined => {
  const fs = fileSystemOf(vfs, mount);
  return fs instanceof Devpts ? fs : undefined;
};

/** The options by which a ptmx in the given mount makes slaves: those of its own devpts, else of the first. */
export const ptyOptions = (vfs: Vfs, mount: number): { gid: number | undefined; mode: number } => {
  for (const candidate of [mount, ...vfs.mounts.keys()]) {
    const fs = devpts(vfs, candidate);
    if (fs !== undefined) return fs.options;
  }
  return { gid: undefined, mode: 0o600 };
};

/** The slave's node in the first devpts. */
const nodeOf = (vfs: Vfs, name: string): (Place & { readonly parent: number }) | undefined => {
  for (const mount of vfs.mounts.keys()) {
    const fs = devpts(vfs, mount);
    const ino = fs?.lookup(fs.root, name);
    if (fs !== undefined && ino !== undefined && !(ino instanceof Errno)) return { mount, ino, parent: fs.root };
  }
  return undefined;
};

/** TIOCGPTPEER: a descriptor of the slave, opened with `flags`, wherever and whether /dev/pts is mounted for the caller. */
export const openSlaveOf = (
  vfs: Vfs,
  call: Delivery,
  terminal: number,
  flags: number,
): Outcome<{ readonly result: number }> => {
  const refused = mayOpenSlave(vfs, terminal);
  if (refused !== undefined) return refused;
  const name = String(ptyNumber(terminal));
  const node = nodeOf(vfs, name);
  if (node === undefined) return EIO;
  const { pid } = call.caller;
  const number = vfs.fileNumbers.next();
  const fd = bindDescriptor(vfs, pid, number, 0, (flags & O_CLOEXEC) !== 0);
  if (fd instanceof Errno) return fd;
  adoptTerminal(vfs, pid, terminal, flags);
  enterFile(vfs, number, node, 'terminal', terminal, flags, node.parent, name);
  return { result: fd };
};
