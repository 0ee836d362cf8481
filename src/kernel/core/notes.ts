/** The notes of a core file: what every thread's registers were, who the process was, which signal ended it, what was mapped. */
import * as core from '../../abi/core.ts';
import { USER_CS, USER_SS } from '../../abi/signal-frame.ts';
import { FS_BASE, GS_BASE, Reg } from '../../cpu/state.ts';
import { PAGE_SIZE } from '../../memory/layout.ts';
import type { Mapping } from '../../memory/space.ts';
import { saveFloatingPoint } from '../fxsave.ts';
import type { Process } from '../process.ts';
import type { Thread } from '../thread.ts';

/** Why the process ends. */
export interface Cause {
  readonly tid: number;
  readonly signal: number;
  /** siginfo_t. */
  readonly info: Uint8Array;
}

const FXSAVE_BYTES = 512;
const NICE_MASK = 0xff;

const putTime = (view: DataView, at: number, nanoseconds: number): void => {
  const seconds = Math.floor(nanoseconds / 1e9);
  view.setBigUint64(at, BigInt(seconds), true);
  view.setBigUint64(at + 8, BigInt(Math.floor((nanoseconds - seconds * 1e9) / 1000)), true);
};

const putIds = (view: DataView, at: number, pid: number, { identity }: Process): void =>
  [pid, identity.ppid, identity.pgid, identity.sid].forEach((id, i) => {
    view.setInt32(at + i * 4, id, true);
  });

const status = (thread: Thread, cause: Cause): Uint8Array => {
  const { process, registers } = thread;
  const bytes = new Uint8Array(core.PRSTATUS_BYTES);
  const view = new DataView(bytes.buffer);
  // si_signo, si_code, si_errno: in siginfo_t code and errno are the other way round.
  const info = new DataView(cause.info.buffer, cause.info.byteOffset, cause.info.byteLength);
  view.setInt32(0, cause.signal, true);
  view.setInt32(4, info.getInt32(8, true), true);
  view.setInt32(8, info.getInt32(4, true), true);
  view.setInt16(core.PR_CURSIG, cause.signal, true);
  view.setBigUint64(core.PR_SIGPEND, process.identity.pending, true);
  view.setBigUint64(core.PR_SIGHOLD, process.identity.blocked, true);
  putIds(view, core.PR_PID, thread.tid, process);
  putTime(view, core.PR_TIMES, thread.userTime);
  putTime(view, core.PR_TIMES + 16, thread.systemTime);
  const put = (index: number, value: bigint): void => view.setBigUint64(core.PR_REGISTERS + index * 8, value, true);
  const register = (number: number): bigint => registers.view.getBigUint64(number * 8, true);
  core.USER_REGISTERS.forEach((number, index) => {
    put(index, register(number));
  });
  // −1 says that it was not in a system call, which a debugger would restart.
  put(core.USER_ORIG_RAX, 0xffff_ffff_ffff_ffffn);
  put(core.USER_RIP, BigInt(registers.instructionPointer));
  put(core.USER_CS, BigInt(USER_CS));
  put(core.USER_FLAGS, BigInt(registers.flags));
  put(core.USER_RSP, register(Reg.RSP));
  put(core.USER_SS, BigInt(USER_SS));
  put(core.USER_FS_BASE, registers.view.getBigUint64(FS_BASE, true));
  put(core.USER_GS_BASE, registers.view.getBigUint64(GS_BASE, true));
  view.setInt32(core.PR_FPVALID, 1, true);
  return core.note(core.NT_PRSTATUS, bytes);
};

const floatingPoint = (thread: Thread): Uint8Array => {
  const image = new Uint8Array(FXSAVE_BYTES);
  saveFloatingPoint(thread.registers, new DataView(image.buffer));
  return core.note(core.NT_FPREGSET, image);
};

const information = (process: Process): Uint8Array => {
  const { identity, image } = process;
  const bytes = new Uint8Array(core.PRPSINFO_BYTES);
  const view = new DataView(bytes.buffer);
  // State 0, its letter R; no zombie.
  bytes[1] = 'R'.charCodeAt(0);
  bytes[3] = identity.nice & NICE_MASK;
  view.setUint32(core.PS_UID, identity.uid, true);
  view.setUint32(core.PS_UID + 4, identity.gid, true);
  putIds(view, core.PS_PID, process.pid, process);
  for (let i = 0; i < Math.min(identity.name.length, core.PS_NAME_BYTES - 1); i++)
    bytes[core.PS_NAME + i] = identity.name.charCodeAt(i);
  const length = Math.min(image.argumentsEnd - image.argumentsStart, core.PS_ARGUMENTS_BYTES - 1);
  const words = new Uint8Array(length);
  process.space?.read(image.argumentsStart, words);
  // The zero bytes between the arguments become spaces, the last one too.
  for (let i = 0; i < length; i++) bytes[core.PS_ARGUMENTS + i] = words[i] === 0 ? 0x20 : words[i];
  return core.note(core.NT_PRPSINFO, bytes);
};

const isFile = ({ backing, name }: Mapping): boolean =>
  !name.startsWith('[') && (backing.kind === 'file' || (backing.kind === 'shared' && backing.file));

/** Which files were mapped where: count, page size; start, end and page of each; names. */
const files = (mappings: readonly Mapping[]): Uint8Array => {
  const mapped = mappings.filter(isFile);
  const names = mapped.map(({ name }) => `${name}\0`).join('');
  const bytes = new Uint8Array(16 + mapped.length * 24 + names.length);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  put(0, mapped.length);
  put(8, PAGE_SIZE);
  mapped.forEach(({ start, end, backing }, index) => {
    const at = 16 + index * 24;
    put(at, start);
    put(at + 8, end);
    put(at + 16, backing.kind === 'zero' ? 0 : backing.offset / PAGE_SIZE);
  });
  for (let i = 0; i < names.length; i++) bytes[16 + mapped.length * 24 + i] = names.charCodeAt(i);
  return core.note(core.NT_FILE, bytes);
};

/** All notes, the thread that got the signal first. */
export const notesOf = (process: Process, mappings: readonly Mapping[], cause: Cause): Uint8Array => {
  const first = process.thread(cause.tid) ?? process.mainThread;
  const parts = [
    status(first, cause),
    information(process),
    core.note(core.NT_SIGINFO, cause.info),
    core.note(core.NT_AUXV, process.image.auxiliary),
    files(mappings),
    floatingPoint(first),
  ];
  for (const thread of process.threads)
    if (thread !== first && thread.state !== 'dead') parts.push(status(thread, cause), floatingPoint(thread));
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};
