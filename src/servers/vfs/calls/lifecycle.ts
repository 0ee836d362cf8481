/** Processes come, change their program and go: forkProcess, execProcess, exitProcess, all sent by the kernel. */
import { EINVAL, Errno } from '../../../abi/errno.ts';
import { editProcessRow, holdPlaces } from '../actor.ts';
import { processEnded } from '../events/pidfd.ts';
import { closeDescriptor } from '../files.ts';
import { release } from '../inodes.ts';
import { unlockRange } from '../lock-table.ts';
import { abandonOpening } from '../open.ts';
import { nothing } from '../outcome.ts';
import type { Vfs } from '../state.ts';
import { leaderEnded } from '../terminal/job-control.ts';
import type { CallsOf } from './calls-of.ts';

const abandonOpenings = (vfs: Vfs, pid: number): void => {
  for (const [tid, opening] of [...vfs.openings.entries()]) if (opening.pid === pid) abandonOpening(vfs, tid);
};

export const lifecycle = (vfs: Vfs): CallsOf<'forkProcess' | 'exitProcess' | 'execProcess'> => ({
  forkProcess: ({ parent, child, shareFiles }) => {
    // Two processes cannot share one descriptor table (CLONE_FILES without CLONE_THREAD): refused, rather than copied.
    if (shareFiles) return EINVAL;
    const copied = vfs.kernel.copyFds(parent, child);
    if (copied instanceof Errno) return copied;
    for (const { file } of vfs.kernel.fds(child)) vfs.files.edit(file)!.holders++;
    const row = { ...editProcessRow(vfs, parent) };
    vfs.processes.set(child, row);
    holdPlaces(vfs, row);
    return nothing;
  },

  exitProcess: ({ pid }) => {
    abandonOpenings(vfs, pid);
    for (const { fd } of vfs.kernel.fds(pid)) closeDescriptor(vfs, pid, fd);
    const waiting = vfs.lockWaits.get(pid);
    if (waiting !== undefined) {
      vfs.lockWaits.delete(pid);
      unlockRange(vfs, waiting.object, pid, 0, Infinity);
    }
    const row = vfs.processes.get(pid);
    if (row !== undefined) {
      vfs.processes.delete(pid);
      release(vfs, { mount: row.cwdMount, ino: row.cwdIno });
      release(vfs, { mount: row.rootMount, ino: row.rootIno });
    }
    leaderEnded(vfs, pid);
    processEnded(vfs, pid);
    return nothing;
  },

  execProcess: ({ pid }) => {
    // Threads that waited in open(2) are gone.
    abandonOpenings(vfs, pid);
    for (const { fd, closeOnExec } of vfs.kernel.fds(pid)) if (closeOnExec) closeDescriptor(vfs, pid, fd);
    return nothing;
  },
});
