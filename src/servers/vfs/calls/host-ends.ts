/** What the host does: typing at consoles, windows that change, and the other ends of a spawned program's standard streams. */
import { EBADF, EINVAL, ENOENT, ENOTDIR, EPIPE, Errno, type Result } from '../../../abi/errno.ts';
import { AT_FDCWD, O_RDONLY, O_RDWR, O_WRONLY } from '../../../abi/fcntl.ts';
import { isDirectory } from '../../../abi/stat.ts';
import { type Outcome, wait } from '../../../ipc/server.ts';
import { actorOf, holdPlaces } from '../actor.ts';
import { bindDescriptor } from '../files.ts';
import { fileSystemOf, PIPE_MOUNT, ROOT_MOUNT } from '../mounts.ts';
import { enterFile } from '../open.ts';
import { nothing } from '../outcome.ts';
import {
  closeEnd,
  dropBytes,
  makePipe,
  openPipeEnd,
  peekBytes,
  putBytes,
  readChannel,
  writeChannel,
} from '../pipe/pipe.ts';
import type { Place } from '../rows.ts';
import type { Vfs } from '../state.ts';
import { feed } from '../terminal/input.ts';
import { hangUp, takeTerminal } from '../terminal/job-control.ts';
import { drain } from '../terminal/output.ts';
import { editTerminal, outputChannel } from '../terminal/row.ts';
import { find } from '../walk.ts';
import type { CallsOf } from './calls-of.ts';

const CONSOLE = 0;
const STREAM = 1;
const NULL = 2;
const SIGWINCH = 28;

/** The node of a device in the first devtmpfs that is mounted; programs may have changed what is in /dev. */
const deviceNode = (vfs: Vfs, name: string): Result<Place> => {
  for (const [mount, row] of vfs.mounts.entries()) {
    if (vfs.superblocks.get(row.superblock)!.type !== 'devtmpfs') continue;
    const ino = fileSystemOf(vfs, mount).lookup(row.root, name);
    if (!(ino instanceof Errno)) return { mount, ino };
  }
  return ENOENT;
};

/** Ends of a stream that the host holds: the pipe goes when both sides are closed. */
const closeStream = (vfs: Vfs, pipe: number): void => {
  const stream = vfs.streams.get(pipe);
  if (stream === undefined) return;
  vfs.streams.delete(pipe);
  closeEnd(vfs, pipe, stream.hostWrites ? O_WRONLY : O_RDONLY);
  fileSystemOf(vfs, PIPE_MOUNT).forget(pipe);
};

export const hostEnds = (
  vfs: Vfs,
): CallsOf<
  | 'terminalInput'
  | 'terminalResize'
  | 'terminalHangup'
  | 'terminalDrained'
  | 'attachStandard'
  | 'streamWrite'
  | 'streamRead'
  | 'streamClose'
> => {
  const openConsole = (pid: number, terminal: number, fd: number): Result<number> => {
    const node = deviceNode(vfs, `tty${terminal + 1}`);
    if (node instanceof Errno) return node;
    const row = editTerminal(vfs, terminal);
    row.hungUp = false;
    const number = vfs.fileNumbers.next();
    const bound = bindDescriptor(vfs, pid, number, fd, false);
    if (bound instanceof Errno) return bound;
    const parent = fileSystemOf(vfs, node.mount).root;
    enterFile(vfs, number, node, 'terminal', terminal, O_RDWR, parent, `tty${terminal + 1}`);
    return 0;
  };

  const openNull = (pid: number, fd: number): Result<number> => {
    const node = deviceNode(vfs, 'null');
    if (node instanceof Errno) return node;
    const number = vfs.fileNumbers.next();
    const bound = bindDescriptor(vfs, pid, number, fd, false);
    if (bound instanceof Errno) return bound;
    enterFile(vfs, number, node, 'null', 0, O_RDWR, fileSystemOf(vfs, node.mount).root, 'null');
    return 0;
  };

  /** A pipe between the host and descriptor `fd`; its number is the stream's. */
  const openStream = (pid: number, fd: number): Result<number> => {
    const hostWrites = fd === 0;
    const view = vfs.kernel.process(pid);
    if (view instanceof Errno) return view;
    const number = vfs.fileNumbers.next();
    const bound = bindDescriptor(vfs, pid, number, fd, false);
    if (bound instanceof Errno) return bound;
    const pipe = makePipe(vfs, view.fsuid, view.fsgid);
    openPipeEnd(vfs, pipe, hostWrites ? O_WRONLY : O_RDONLY);
    vfs.streams.set(pipe, { hostWrites });
    const flags = hostWrites ? O_RDONLY : O_WRONLY;
    openPipeEnd(vfs, pipe, flags);
    enterFile(vfs, number, { mount: PIPE_MOUNT, ino: pipe }, 'pipe', pipe, flags, 0, '');
    return pipe;
  };

  const attach = (pid: number, fd: number, kind: number, terminal: number): Result<number> => {
    if (kind === CONSOLE) return openConsole(pid, terminal, fd);
    if (kind === STREAM) return openStream(pid, fd);
    return kind === NULL ? openNull(pid, fd) : EINVAL;
  };

  return {
    terminalInput: ({ terminal, data }) => {
      const row = editTerminal(vfs, terminal);
      if (row.hungUp) return { result: data.length };
      feed(vfs, terminal, row, data, false);
      return { result: data.length };
    },

    terminalResize: ({ terminal, rows, columns }) => {
      const row = editTerminal(vfs, terminal);
      if (row.rows === rows && row.columns === columns) return nothing;
      row.rows = rows & 0xffff;
      row.columns = columns & 0xffff;
      if (row.foreground !== 0) vfs.kernel.raiseSignal(row.foreground, SIGWINCH);
      return nothing;
    },

    terminalHangup: ({ terminal }) => {
      hangUp(vfs, terminal);
      return nothing;
    },

    terminalDrained: ({ terminal }) => {
      drain(vfs, terminal, editTerminal(vfs, terminal));
      vfs.wake(outputChannel(terminal));
      return nothing;
    },

    attachStandard: ({ pid, terminal, stdin, stdout, stderr, cwd, umask }) => {
      const view = vfs.kernel.process(pid);
      if (view instanceof Errno) return view;
      const root = { mount: ROOT_MOUNT, ino: vfs.mounts.get(ROOT_MOUNT)!.root };
      const host = actorOf(vfs, 0);
      if (host instanceof Errno) return host;
      const start = cwd === '' ? root : find(vfs, host, AT_FDCWD, cwd, true);
      if (start instanceof Errno) return start;
      const attributes = fileSystemOf(vfs, start.mount).getattr(start.ino);
      if (attributes instanceof Errno) return attributes;
      if (!isDirectory(attributes.mode)) return ENOTDIR;
      const row = {
        cwdMount: start.mount,
        cwdIno: start.ino,
        rootMount: root.mount,
        rootIno: root.ino,
        umask: umask & 0o777,
      };
      vfs.processes.set(pid, row);
      holdPlaces(vfs, row);
      const kinds = [stdin, stdout, stderr];
      const streams: number[] = [];
      for (let fd = 0; fd < kinds.length; fd++) {
        const stream = attach(pid, fd, kinds[fd], terminal);
        if (stream instanceof Errno) return stream;
        streams.push(stream);
      }
      if (kinds.includes(CONSOLE) && view.sid === pid) {
        const taken = takeTerminal(vfs, terminal, view);
        if (taken instanceof Errno) return taken;
      }
      return { stdin: streams[0], stdout: streams[1], stderr: streams[2] };
    },

    streamWrite: ({ stream, data, end }, call): Outcome<{ result: number }> => {
      const entry = vfs.streams.get(stream);
      if (entry === undefined || !entry.hostWrites) return EBADF;
      if (vfs.pipes.get(stream)!.readers === 0) return EPIPE;
      const count = putBytes(vfs, stream, data);
      // Without room the host waits, unless it gives up.
      if (count === 0 && data.length > 0 && call.reason !== 'cancelled') return wait([writeChannel(stream)]);
      if (end && count === data.length) closeStream(vfs, stream);
      return { result: count };
    },

    streamRead: ({ stream, max }): Outcome<{ data: Uint8Array }> => {
      const entry = vfs.streams.get(stream);
      if (entry === undefined || entry.hostWrites) return EBADF;
      const pipe = vfs.pipes.get(stream)!;
      if (pipe.length === 0 && pipe.writers > 0) return wait([readChannel(stream)]);
      // Field `bytes` carries 64 KiB.
      const data = new Uint8Array(Math.min(max, pipe.length, 65536));
      peekBytes(vfs, stream, data);
      if (data.length > 0) dropBytes(vfs, stream, data.length);
      return { data };
    },

    streamClose: ({ stream }) => {
      closeStream(vfs, stream);
      return nothing;
    },
  };
};
