/**
 * On whose behalf a request acts: the credentials that permission checks use (fsuid, fsgid, groups), and the process's
 * working directory, root and umask. Caller 0 is the kernel or the host, acting as root.
 */
import { ALL_CAPABILITIES } from '../../abi/credentials.ts';
import { Errno, type Result } from '../../abi/errno.ts';
import { hold } from './inodes.ts';
import type { ProcessRow } from './rows.ts';
import type { Vfs } from './state.ts';

export interface Actor {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Effective capabilities. */
  readonly capabilities: bigint;
  readonly process: Readonly<ProcessRow>;
}

const noGroups: readonly number[] = [];

/** A process that was never forked nor spawned by the host (init) starts at the root with the usual umask. */
const fresh = (vfs: Vfs, umask: number): ProcessRow => {
  const mount = 1;
  const ino = vfs.mounts.get(mount)?.root ?? 1;
  return { cwdMount: mount, cwdIno: ino, rootMount: mount, rootIno: ino, umask };
};

/** A process holds its working directory and its root. */
export const holdPlaces = (vfs: Vfs, row: Readonly<ProcessRow>): void => {
  hold(vfs, { mount: row.cwdMount, ino: row.cwdIno });
  hold(vfs, { mount: row.rootMount, ino: row.rootIno });
};

export const processRow = (vfs: Vfs, pid: number): Readonly<ProcessRow> =>
  vfs.processes.get(pid) ?? fresh(vfs, pid === 0 ? 0 : 0o022);

/** The row for writing; made if the process has none yet. The kernel's own row is never kept. */
export const editProcessRow = (vfs: Vfs, pid: number): ProcessRow => {
  const row = vfs.processes.edit(pid);
  if (row !== undefined) return row;
  const made = fresh(vfs, 0o022);
  if (pid === 0) return made;
  vfs.processes.set(pid, made);
  holdPlaces(vfs, made);
  return made;
};

/** ESRCH if there is no such process. */
export const actorOf = (vfs: Vfs, pid: number): Result<Actor> => {
  const process = processRow(vfs, pid);
  if (pid === 0) return { pid, uid: 0, gid: 0, groups: noGroups, capabilities: ALL_CAPABILITIES, process };
  const view = vfs.kernel.process(pid);
  if (view instanceof Errno) return view;
  const capabilities = view.capabilities.effective;
  return { pid, uid: view.fsuid, gid: view.fsgid, groups: view.groups, capabilities, process };
};

/** As `actorOf`, with real instead of effective ids, and what those would be capable of: access(2). */
export const realActorOf = (vfs: Vfs, pid: number): Result<Actor> => {
  const process = processRow(vfs, pid);
  if (pid === 0) return { pid, uid: 0, gid: 0, groups: noGroups, capabilities: ALL_CAPABILITIES, process };
  const view = vfs.kernel.process(pid);
  if (view instanceof Errno) return view;
  const capabilities = view.uid === 0 ? view.capabilities.permitted : 0n;
  return { pid, uid: view.uid, gid: view.gid, groups: view.groups, capabilities, process };
};
