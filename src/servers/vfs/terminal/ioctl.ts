/** ioctl(2) requests of terminals: ioctl_tty(2). */

import { CAP_SYS_ADMIN, capabilityBit } from '../../../abi/credentials.ts';
import { EFAULT, EINVAL, EIO, ENOTTY, EPERM, Errno, ESRCH } from '../../../abi/errno.ts';
import * as io from '../../../abi/ioctl.ts';
import {
  decodeTermios,
  encodeTermios,
  ICANON,
  IXON,
  TERMIOS_SIZE,
  TERMIOS2_SIZE,
  type Termios,
} from '../../../abi/termios.ts';
import type { Grant } from '../../../ipc/fields.ts';
import type { ProcessView } from '../../../ipc/kernel-calls.ts';
import { type Delivery, type Outcome, wait } from '../../../ipc/server.ts';
import { done } from '../outcome.ts';
import type { OpenFile } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { feed } from './input.ts';
import { checkForeground, controlling, leaveTerminal, SIGTTOU, takeTerminal } from './job-control.ts';
import { drained, emit, resume } from './output.ts';
import { dropBacklog, hangUpForNow, isHungUp, pushBacklog } from './pty.ts';
import {
  isPty,
  TIOCPKT_DOSTOP,
  TIOCPKT_FLUSHREAD,
  TIOCPKT_FLUSHWRITE,
  TIOCPKT_NOSTOP,
  TIOCPKT_START,
  TIOCPKT_STOP,
  tellMaster,
} from './pty-row.ts';
import {
  editTerminal,
  inputChannel,
  jobChannel,
  outputChannel,
  type TerminalRow,
  terminalDevice,
  terminalOf,
} from './row.ts';
import { readable } from './terminal-io.ts';

type Reply = Outcome<{ readonly result: number }>;

const SIGWINCH = 28;
const may = (view: ProcessView, capability: number): boolean =>
  (view.capabilities.effective & capabilityBit(capability)) !== 0n;

/** Arguments of TCFLSH and TCXONC: tcflush(3), tcflow(3). */
const TCIFLUSH = 0;
const TCOFLUSH = 1;
const TCIOFLUSH = 2;
const TCOOFF = 0;
const TCOON = 1;
const TCIOFF = 2;
const TCION = 3;
const VSTART = 8;
const VSTOP = 9;

const give = (vfs: Vfs, buf: Grant | null, bytes: Uint8Array): Reply => {
  if (buf === null) return EFAULT;
  const copied = vfs.context.copyOut(buf, 0, bytes);
  return copied instanceof Errno || copied < bytes.length ? EFAULT : done;
};

const giveInt = (vfs: Vfs, buf: Grant | null, value: number): Reply =>
  give(vfs, buf, new Uint8Array(Int32Array.of(value).buffer));

const takeInt = (vfs: Vfs, buf: Grant | null): number | Errno => {
  if (buf === null) return EFAULT;
  const bytes = vfs.context.copyIn(buf, 0, 4);
  return bytes instanceof Errno ? bytes : new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, true);
};

const flushInput = (vfs: Vfs, terminal: number, row: TerminalRow): void => {
  row.lines = [];
  row.line = [];
  row.literal = false;
  row.erasing = false;
  dropBacklog(vfs, terminal);
  tellMaster(vfs, terminal, TIOCPKT_FLUSHREAD);
};

/** Whether ^S and ^Q stop output, as the master of a pseudo-terminal may want to know (TIOCPKT). */
const stopsByKey = ({ iflag, cc }: Termios): boolean => (iflag & IXON) !== 0 && cc[VSTART] === 17 && cc[VSTOP] === 19;

/** Changes the settings; what was typed stays, whatever mode it is read in from now on. */
const setTermios = (vfs: Vfs, terminal: number, row: TerminalRow, termios: Termios): void => {
  const wasCanonical = (row.termios.lflag & ICANON) !== 0;
  const isCanonical = (termios.lflag & ICANON) !== 0;
  const before = stopsByKey(row.termios);
  row.termios = termios;
  const after = stopsByKey(termios);
  if (before !== after)
    if (after) tellMaster(vfs, terminal, TIOCPKT_DOSTOP, TIOCPKT_NOSTOP);
    else tellMaster(vfs, terminal, TIOCPKT_NOSTOP, TIOCPKT_DOSTOP);
  if (wasCanonical === isCanonical) return;
  if (isCanonical) {
    if (row.line.length > 0) row.lines = [...row.lines, Uint8Array.from(row.line)];
    row.line = [];
  } else {
    row.line = [...row.lines.flatMap((line) => [...line]), ...row.line];
    row.lines = [];
  }
  vfs.wake(inputChannel(terminal));
  pushBacklog(vfs, terminal);
};

const changeSettings = (
  vfs: Vfs,
  call: Delivery,
  terminal: number,
  buf: Grant | null,
  size: number,
  drainFirst: boolean,
  flush: boolean,
): Reply => {
  const background = checkForeground(vfs, terminal, call, SIGTTOU);
  if (background !== undefined) return background;
  if (buf === null) return EFAULT;
  const bytes = vfs.context.copyIn(buf, 0, size);
  if (bytes instanceof Errno) return bytes;
  const row = editTerminal(vfs, terminal);
  if (drainFirst && !drained(vfs, terminal, row)) return wait([outputChannel(terminal)]);
  if (flush) flushInput(vfs, terminal, row);
  setTermios(vfs, terminal, row, decodeTermios(bytes, row.termios));
  return done;
};

const setForeground = (vfs: Vfs, call: Delivery, terminal: number, buf: Grant | null): Reply => {
  const view = vfs.kernel.process(call.caller.pid);
  if (view instanceof Errno) return view;
  const row = terminalOf(vfs, terminal);
  if (controlling(view) !== terminal || row.session !== view.sid) return ENOTTY;
  const background = checkForeground(vfs, terminal, call, SIGTTOU);
  if (background !== undefined) return background;
  const group = takeInt(vfs, buf);
  if (group instanceof Errno) return group;
  if (group < 0) return EINVAL;
  let exists = false;
  for (const pid of vfs.kernel.processes()) {
    const member = vfs.kernel.process(pid);
    if (member instanceof Errno || member.pgid !== group) continue;
    if (member.sid !== view.sid) return EPERM;
    exists = true;
  }
  if (!exists) return ESRCH;
  editTerminal(vfs, terminal).foreground = group;
  vfs.wake(jobChannel(terminal));
  return done;
};

const becomeControlling = (vfs: Vfs, call: Delivery, terminal: number, argument: number): Reply => {
  const view = vfs.kernel.process(call.caller.pid);
  if (view instanceof Errno) return view;
  const row = terminalOf(vfs, terminal);
  if (view.sid === view.pid && row.session === view.sid) return done;
  if (view.sid !== view.pid || view.terminal !== 0) return EPERM;
  if (row.session !== 0) {
    if (argument !== 1 || !may(view, CAP_SYS_ADMIN)) return EPERM;
    vfs.kernel.setTerminal(row.session, 0);
  }
  return takeTerminal(vfs, terminal, view) ?? done;
};

const giveUp = (vfs: Vfs, call: Delivery, terminal: number): Reply => {
  const view = vfs.kernel.process(call.caller.pid);
  if (view instanceof Errno) return view;
  if (controlling(view) !== terminal) return ENOTTY;
  // The leader gives it up for all of its session, others for themselves.
  if (view.sid === view.pid) leaveTerminal(vfs, terminal);
  else vfs.kernel.setTerminal(view.sid, 0, view.pid);
  return done;
};

const flow = (vfs: Vfs, terminal: number, action: number): Reply => {
  const row = editTerminal(vfs, terminal);
  if (action === TCOOFF) {
    if (!row.stopped) tellMaster(vfs, terminal, TIOCPKT_STOP, TIOCPKT_START);
    row.stopped = true;
  } else if (action === TCOON) {
    if (row.stopped) tellMaster(vfs, terminal, TIOCPKT_START, TIOCPKT_STOP);
    resume(vfs, terminal, row);
  } else if (action === TCIOFF || action === TCION) {
    const character = row.termios.cc[action === TCIOFF ? VSTOP : VSTART];
    if (character !== 0) emit(vfs, terminal, row, Uint8Array.of(character));
  } else return EINVAL;
  return done;
};

const flush = (vfs: Vfs, call: Delivery, terminal: number, queue: number): Reply => {
  const background = checkForeground(vfs, terminal, call, SIGTTOU);
  if (background !== undefined) return background;
  if (queue !== TCIFLUSH && queue !== TCOFLUSH && queue !== TCIOFLUSH) return EINVAL;
  const row = editTerminal(vfs, terminal);
  if (queue !== TCOFLUSH) flushInput(vfs, terminal, row);
  if (queue !== TCIFLUSH) {
    row.pending = new Uint8Array(0);
    vfs.wake(outputChannel(terminal));
    tellMaster(vfs, terminal, TIOCPKT_FLUSHWRITE);
  }
  return done;
};

/** TIOCSTI: a byte as if it had been typed, at one's own terminal or by root. */
const pretend = (vfs: Vfs, call: Delivery, terminal: number, buf: Grant | null): Reply => {
  const view = vfs.kernel.process(call.caller.pid);
  if (view instanceof Errno) return view;
  if (controlling(view) !== terminal && !may(view, CAP_SYS_ADMIN)) return EPERM;
  if (buf === null) return EFAULT;
  const bytes = vfs.context.copyIn(buf, 0, 1);
  if (bytes instanceof Errno) return bytes;
  feed(vfs, terminal, editTerminal(vfs, terminal), bytes, false);
  return done;
};

const setSize = (vfs: Vfs, terminal: number, buf: Grant | null): Reply => {
  if (buf === null) return EFAULT;
  const bytes = vfs.context.copyIn(buf, 0, 8);
  if (bytes instanceof Errno) return bytes;
  const [rows, columns, pixelWidth, pixelHeight] = new Uint16Array(bytes.slice(0, 8).buffer);
  const row = editTerminal(vfs, terminal);
  const same = rows === row.rows && columns === row.columns;
  if (same && pixelWidth === row.pixelWidth && pixelHeight === row.pixelHeight) return done;
  row.rows = rows;
  row.columns = columns;
  row.pixelWidth = pixelWidth;
  row.pixelHeight = pixelHeight;
  if (row.foreground !== 0) vfs.kernel.raiseSignal(row.foreground, SIGWINCH);
  return done;
};

/** Session or foreground group. The master may ask about its slave, whoever's terminal that is. */
const tellGroup = (vfs: Vfs, call: Delivery, file: Readonly<OpenFile>, request: number, buf: Grant | null): Reply => {
  const terminal = file.target;
  const row = terminalOf(vfs, terminal);
  if (file.kind === 'terminal') {
    const view = vfs.kernel.process(call.caller.pid);
    if (view instanceof Errno || controlling(view) !== terminal || row.session !== view.sid) return ENOTTY;
  }
  if (request === io.TIOCGPGRP) return giveInt(vfs, buf, row.foreground);
  return row.session === 0 ? ENOTTY : giveInt(vfs, buf, row.session);
};

export const terminalIoctl = (
  vfs: Vfs,
  call: Delivery,
  file: Readonly<OpenFile>,
  request: number,
  argument: number,
  buf: Grant | null,
): Reply => {
  const terminal = file.target;
  const row = terminalOf(vfs, terminal);
  if (file.kind === 'terminal' && isHungUp(vfs, terminal, file.position))
    return request === io.TIOCSPGRP ? ENOTTY : EIO;
  switch (request) {
    case io.TCGETS:
      return give(vfs, buf, encodeTermios(row.termios, TERMIOS_SIZE));
    case io.TCGETS2:
      return give(vfs, buf, encodeTermios(row.termios, TERMIOS2_SIZE));
    case io.TCSETS:
      return changeSettings(vfs, call, terminal, buf, TERMIOS_SIZE, false, false);
    case io.TCSETSW:
      return changeSettings(vfs, call, terminal, buf, TERMIOS_SIZE, true, false);
    case io.TCSETSF:
      return changeSettings(vfs, call, terminal, buf, TERMIOS_SIZE, true, true);
    case io.TCSETS2:
      return changeSettings(vfs, call, terminal, buf, TERMIOS2_SIZE, false, false);
    case io.TCSETSW2:
      return changeSettings(vfs, call, terminal, buf, TERMIOS2_SIZE, true, false);
    case io.TCSETSF2:
      return changeSettings(vfs, call, terminal, buf, TERMIOS2_SIZE, true, true);
    case io.TIOCGWINSZ:
      return give(
        vfs,
        buf,
        new Uint8Array(Uint16Array.of(row.rows, row.columns, row.pixelWidth, row.pixelHeight).buffer),
      );
    case io.TIOCSWINSZ:
      return setSize(vfs, terminal, buf);
    case io.TIOCGPGRP:
    case io.TIOCGSID:
      return tellGroup(vfs, call, file, request, buf);
    case io.TIOCSPGRP:
      return setForeground(vfs, call, terminal, buf);
    case io.TIOCSCTTY:
      return becomeControlling(vfs, call, terminal, argument);
    case io.TIOCNOTTY:
      return file.kind === 'master' ? ENOTTY : giveUp(vfs, call, terminal);
    case io.TIOCSTI:
      return pretend(vfs, call, terminal, buf);
    case io.TIOCVHANGUP: {
      const view = vfs.kernel.process(call.caller.pid);
      if (view instanceof Errno || !may(view, CAP_SYS_ADMIN)) return EPERM;
      hangUpForNow(vfs, terminal);
      return done;
    }
    case io.TIOCEXCL:
    case io.TIOCNXCL:
      editTerminal(vfs, terminal).exclusive = request === io.TIOCEXCL;
      return done;
    case io.TIOCGEXCL:
      return giveInt(vfs, buf, row.exclusive ? 1 : 0);
    case io.TIOCGETD:
      return giveInt(vfs, buf, 0);
    case io.TIOCSETD: {
      const discipline = takeInt(vfs, buf);
      return discipline instanceof Errno ? discipline : discipline === 0 ? done : EINVAL;
    }
    case io.TIOCGDEV:
      return giveInt(vfs, buf, terminalDevice(terminal));
    case io.TIOCOUTQ:
      return giveInt(vfs, buf, isPty(terminal) ? 0 : row.pending.length);
    case io.FIONREAD:
      return giveInt(vfs, buf, readable(row));
    case io.TCFLSH:
      return flush(vfs, call, terminal, argument);
    case io.TCXONC:
      return flow(vfs, terminal, argument);
    case io.TCSBRK:
    case io.TCSBRKP:
      // There is no line to send a break on; what remains is tcdrain.
      return drained(vfs, terminal, editTerminal(vfs, terminal)) ? done : wait([outputChannel(terminal)]);
    default:
      return ENOTTY;
  }
};
