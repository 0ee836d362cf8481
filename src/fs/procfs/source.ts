/** What procfs shows: the system as the VFS can see it through kernel calls and its own tables. */
import type { Result } from '../../abi/errno.ts';
import type { Time } from '../../abi/stat.ts';
import type { MappingView, ProcessView, ServerView, SystemView, ThreadView } from '../../ipc/kernel-calls.ts';
import type { Jump } from '../contract.ts';

export interface ProcFile {
  readonly fd: number;
  readonly flags: number;
  readonly position: number;
  readonly mount: number;
  readonly ino: number;
  /** As the link in /proc/PID/fd shows it. */
  readonly path: string;
}

export interface ProcMount {
  readonly id: number;
  readonly parent: number;
  readonly device: number;
  readonly point: string;
  readonly source: string;
  readonly type: string;
  readonly options: string;
}

export type ProcLink = 'cwd' | 'root' | 'exe';

export interface ProcSource {
  process(pid: number): Result<ProcessView>;
  processes(): readonly number[];
  system(): SystemView;
  servers(): readonly ServerView[];
  now(): Time;
  mappings(pid: number): readonly MappingView[];
  /** A thread by its number. ESRCH. */
  thread(tid: number): Result<ThreadView>;
  /** Bytes of a range that are in memory. */
  residentBytes(pid: number, start: number, end: number): number;
  readMemory(pid: number, address: number, length: number): Result<Uint8Array>;
  random(length: number): Uint8Array;
  /** Descriptors, ascending, without their paths. */
  descriptors(pid: number): readonly number[];
  file(pid: number, fd: number): Result<ProcFile>;
  fileJump(pid: number, fd: number): Result<Jump>;
  link(pid: number, which: ProcLink): Result<string>;
  linkJump(pid: number, which: ProcLink): Result<Jump>;
  mounts(pid: number): readonly ProcMount[];
  fileSystemTypes(): readonly (readonly [name: string, nodev: boolean])[];
  umask(pid: number): number;
  /** Foreground group of the terminal with this device number, −1 if it has none. */
  foreground(terminal: number): number;
  /** A file of /proc/sys that may be written (settings.ts), by its path below. */
  setting(path: string): string;
  changeSetting(path: string, value: string): void;
  /** Number of open file descriptions. */
  openFiles(): number;
}
