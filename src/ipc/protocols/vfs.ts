/**
 * Protocol of the VFS server (PID 2), numbers 100–199.
 *
 * The first group is what the kernel itself sends when calls cross servers; the rest answers system calls.
 */
import { bool, bytes, grant, i32, i53, text, u32 } from '../fields.ts';
import { call, protocol } from '../protocol.ts';

export const vfsProtocol = protocol('vfs', 100, {
  forkProcess: call(
    100,
    'A process was forked: its open files gain a holder, cwd, root and umask are copied.',
    { parent: i32, child: i32, shareFiles: bool },
    {},
  ),
  exitProcess: call(
    101,
    'A process ended: its descriptors are closed, its locks and terminal released.',
    { pid: i32 },
    {},
  ),
  openExecutable: call(
    102,
    'Opens a program for execve: follows links, checks search and execute permission, regular file, noexec.',
    { pid: i32, dirfd: i32, path: text, flags: i32 },
    // setuid/setgid: the ids the new image takes, or −1. object: number for `readObject` and file mappings (held until releaseObject).
    { object: i53, size: i53, setuid: i32, setgid: i32, path: text, version: i53, readable: bool },
  ),
  readObject: call(
    103,
    'Reads from a mapped or executed file into a kernel buffer (demand paging).',
    { object: i53, offset: i53, buf: grant },
    { result: i53 },
  ),
  writeObject: call(
    104,
    'Writes modified pages of a shared mapping back; never extends the file.',
    { object: i53, offset: i53, buf: grant },
    { result: i53 },
  ),
  releaseObject: call(105, 'The last mapping of an object is gone.', { object: i53 }, {}),
  mapFile: call(
    106,
    'Prepares mmap of a descriptor: checks its mode against protection and sharing (EACCES, ENODEV, EBADF) and holds the object.',
    { pid: i32, fd: i32, protection: i32, shared: bool },
    // version changes whenever contents do, so that the kernel can keep pages it has read. zero: /dev/zero, treated as anonymous.
    { object: i53, size: i53, path: text, version: i53, zero: bool },
  ),
  execProcess: call(
    107,
    'The image was replaced: close-on-exec descriptors are closed, a shared table is unshared.',
    { pid: i32, path: text },
    {},
  ),
  terminalInput: call(
    108,
    'Bytes typed at a console of the host, through the line discipline.',
    { terminal: i32, data: bytes },
    { result: i32 },
  ),
  terminalResize: call(
    109,
    'The host window has another size: SIGWINCH to the foreground group.',
    { terminal: i32, rows: u32, columns: u32 },
    {},
  ),
  terminalHangup: call(110, 'The host end of a console went away.', { terminal: i32 }, {}),
  attachStandard: call(
    111,
    'Gives a process spawned by the host its descriptors 0–2: a console, host pipes, or /dev/null (0 = console, 1 = stream, 2 = null).',
    { pid: i32, terminal: i32, stdin: i32, stdout: i32, stderr: i32, cwd: text, umask: u32 },
    // The numbers of host streams for those that asked for one, else 0.
    { stdin: i32, stdout: i32, stderr: i32 },
  ),
  streamWrite: call(
    112,
    'The host writes to a host stream (a process reads it): bytes taken; 0 closes with `end`.',
    { stream: i32, data: bytes, end: bool },
    { result: i32 },
  ),
  streamRead: call(
    113,
    'The host reads from a host stream, waiting until there is something; empty data is the end.',
    { stream: i32, max: u32 },
    { data: bytes },
  ),
  streamClose: call(114, 'The host gives up its end of a stream.', { stream: i32 }, {}),
  openFile: call(
    115,
    'open(2), openat(2), creat(2).',
    { dirfd: i32, path: text, flags: i32, mode: u32 },
    { result: i32 },
  ),
  read: call(116, 'read(2), readv(2): from the file position.', { fd: i32, buf: grant }, { result: i53 }),
  write: call(117, 'write(2), writev(2): at the file position.', { fd: i32, buf: grant }, { result: i53 }),
  close: call(118, 'close(2).', { fd: i32 }, { result: i32 }),
  readAt: call(
    119,
    'pread64(2), preadv(2): at an offset; −1 in preadv2 is the position.',
    { fd: i32, buf: grant, offset: i53 },
    { result: i53 },
  ),
  ping: call(189, 'Answers at once: measures a round trip.', { value: i32 }, { result: i32 }),
});
