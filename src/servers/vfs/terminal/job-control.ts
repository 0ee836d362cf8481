/**
 * Job control of terminals: controlling terminals of sessions, background access, hang-up. credentials(7), termios(3),
 * "Job control"; POSIX 11.1.
 *
 * The terminal's row says whose controlling terminal it is; the kernel's copy per process (`Identity.terminal`) is set from
 * here and read back through `controlling`.
 */
import { EINTR, EIO, Errno, type Result } from '../../../abi/errno.ts';
import type { ProcessView } from '../../../ipc/kernel-calls.ts';
import { type Delivery, type Wait, wait } from '../../../ipc/server.ts';
import type { Vfs } from '../state.ts';
import { drain } from './output.ts';
import {
  editTerminal,
  inputChannel,
  jobChannel,
  outputChannel,
  terminalDevice,
  terminalOf,
  terminalOfDevice,
} from './row.ts';

const SIGHUP = 1;
const SIGCONT = 18;
export const SIGTTIN = 21;
export const SIGTTOU = 22;

const bit = (signal: number): bigint => 1n << BigInt(signal - 1);

/** The number of the process's controlling terminal, −1 if it has none. */
export const controlling = (view: ProcessView): number => (view.terminal === 0 ? -1 : terminalOfDevice(view.terminal));

/** Whether no member of the group has a parent in another group of the same session: nobody would continue it. */
const isOrphaned = (vfs: Vfs, group: number): boolean => {
  for (const pid of vfs.kernel.processes()) {
    const view = vfs.kernel.process(pid);
    if (view instanceof Errno || view.pgid !== group || view.state === 'Z') continue;
    const parent = vfs.kernel.process(view.ppid);
    if (!(parent instanceof Errno) && parent.sid === view.sid && parent.pgid !== group) return false;
  }
  return true;
};

/**
 * Checks an access from the background. Undefined: go on. EIO: the process refuses the signal or nobody would continue it.
 * A wait: the group has been sent the signal, and the call sleeps until it is stopped and continued or in the foreground.
 */
export const checkForeground = (
  vfs: Vfs,
  terminal: number,
  call: Delivery,
  signal: number,
): Errno | Wait | undefined => {
  if (call.caller.pid === 0) return undefined;
  const row = terminalOf(vfs, terminal);
  const view = vfs.kernel.process(call.caller.pid);
  if (view instanceof Errno || controlling(view) !== terminal || view.sid !== row.session) return undefined;
  if (row.foreground === 0 || view.pgid === row.foreground) return undefined;
  const refused = ((view.blocked | view.ignored) & bit(signal)) !== 0n;
  // Output from a process that refuses SIGTTOU goes through; input from one that refuses SIGTTIN fails.
  if (refused) return signal === SIGTTOU ? undefined : EIO;
  if (isOrphaned(vfs, view.pgid)) return EIO;
  if (call.reason === 'cancelled') return EINTR;
  vfs.kernel.raiseSignal(view.pgid, signal);
  return wait([jobChannel(terminal)]);
};

/** Makes it the controlling terminal of a session, with its leader's group in the foreground. */
export const takeTerminal = (vfs: Vfs, terminal: number, leader: ProcessView): Result<void> => {
  const row = editTerminal(vfs, terminal);
  row.session = leader.sid;
  row.foreground = leader.pgid;
  return vfs.kernel.setTerminal(leader.sid, terminalDevice(terminal));
};

/** The session and its terminal part: the foreground group is told. */
export const leaveTerminal = (vfs: Vfs, terminal: number): void => {
  const row = editTerminal(vfs, terminal);
  const { session, foreground } = row;
  row.session = 0;
  row.foreground = 0;
  if (foreground !== 0) {
    vfs.kernel.raiseSignal(foreground, SIGHUP);
    vfs.kernel.raiseSignal(foreground, SIGCONT);
  }
  if (session !== 0) vfs.kernel.setTerminal(session, 0);
  vfs.wake(jobChannel(terminal));
};

/** A process ended: if it led a session, its terminal is free again. */
export const leaderEnded = (vfs: Vfs, pid: number): void => {
  for (const [terminal, row] of [...vfs.terminals.entries()]) {
    if (row.session === pid) leaveTerminal(vfs, terminal);
    if (row.formerSession !== pid) continue;
    vfs.kernel.raiseSignal(row.formerForeground, SIGHUP);
    vfs.kernel.raiseSignal(row.formerForeground, SIGCONT);
    editTerminal(vfs, terminal).formerSession = 0;
  }
};

/**
 * The other end is gone: reads give end of file, writes EIO. The session's leader gets SIGHUP and SIGCONT; the foreground group
 * gets them when the leader ends.
 */
export const hangUp = (vfs: Vfs, terminal: number): void => {
  const row = editTerminal(vfs, terminal);
  row.hungUp = true;
  row.stopped = false;
  drain(vfs, terminal, row);
  row.pending = new Uint8Array(0);
  const { session, foreground } = row;
  row.session = 0;
  row.foreground = 0;
  if (session !== 0) {
    vfs.kernel.raiseSignal(session, SIGHUP, true);
    vfs.kernel.raiseSignal(session, SIGCONT, true);
    vfs.kernel.setTerminal(session, 0);
    row.formerSession = foreground === 0 ? 0 : session;
    row.formerForeground = foreground;
  }
  vfs.wake(jobChannel(terminal));
  vfs.wake(inputChannel(terminal));
  vfs.wake(outputChannel(terminal));
};
