/** The VFS as procfs sees it: fs/procfs/source.ts over kernel calls and the server's tables. */
import { ENOENT, Errno, type Result } from '../../abi/errno.ts';
import { AT_FDCWD } from '../../abi/fcntl.ts';
import type { Time } from '../../abi/stat.ts';
import type { Jump } from '../../fs/contract.ts';
import { settingOf } from '../../fs/procfs/settings.ts';
import type { ProcFile, ProcLink, ProcMount, ProcSource } from '../../fs/procfs/source.ts';
import type { MappingView, ProcessView, ServerView, SystemView, ThreadView } from '../../ipc/kernel-calls.ts';
import { actorOf, processRow } from './actor.ts';
import { fileSystemTypes, mountOptions, ROOT_MOUNT } from './mounts.ts';
import { directoryPath, openFilePath } from './paths.ts';
import type { Place } from './rows.ts';
import type { Vfs } from './state.ts';
import { terminalOfDevice } from './terminal/row.ts';
import { find } from './walk.ts';

export class ProcView implements ProcSource {
  readonly #vfs: Vfs;

  constructor(vfs: Vfs) {
    this.#vfs = vfs;
  }

  process(pid: number): Result<ProcessView> {
    return this.#vfs.kernel.process(pid);
  }

  processes(): readonly number[] {
    return this.#vfs.kernel.processes();
  }

  system(): SystemView {
    return this.#vfs.kernel.system();
  }

  servers(): readonly ServerView[] {
    return this.#vfs.kernel.servers();
  }

  now(): Time {
    return this.#vfs.now();
  }

  mappings(pid: number): readonly MappingView[] {
    return this.#vfs.kernel.mappings(pid);
  }

  thread(tid: number): Result<ThreadView> {
    return this.#vfs.kernel.thread(tid);
  }

  residentBytes(pid: number, start: number, end: number): number {
    return this.#vfs.kernel.residentBytes(pid, start, end);
  }

  readMemory(pid: number, address: number, length: number): Result<Uint8Array> {
    return this.#vfs.kernel.readMemory(pid, address, length);
  }

  random(length: number): Uint8Array {
    return this.#vfs.context.random(length);
  }

  descriptors(pid: number): readonly number[] {
    return this.#vfs.kernel.fds(pid).map(({ fd }) => fd);
  }

  file(pid: number, fd: number): Result<ProcFile> {
    const entry = this.#vfs.kernel.fd(pid, fd);
    if (entry instanceof Errno) return entry;
    const file = this.#vfs.files.get(entry.file);
    if (file === undefined) return ENOENT;
    const path = openFilePath(this.#vfs, file, this.#root(pid));
    return { fd, flags: file.flags, position: file.position, mount: file.mount, ino: file.ino, path };
  }

  fileJump(pid: number, fd: number): Result<Jump> {
    const entry = this.#vfs.kernel.fd(pid, fd);
    return entry instanceof Errno ? ENOENT : { kind: 'file', file: entry.file };
  }

  link(pid: number, which: ProcLink): Result<string> {
    const view = this.process(pid);
    if (view instanceof Errno || view.kernel || view.state === 'Z') return ENOENT;
    if (which === 'exe') return view.executable === '' ? ENOENT : view.executable;
    return directoryPath(this.#vfs, this.#place(pid, which), this.#root(pid));
  }

  linkJump(pid: number, which: ProcLink): Result<Jump> {
    const view = this.process(pid);
    if (view instanceof Errno || view.kernel || view.state === 'Z') return ENOENT;
    if (which !== 'exe') return { kind: 'inode', ...this.#place(pid, which) };
    const host = actorOf(this.#vfs, 0);
    const found = host instanceof Errno ? host : find(this.#vfs, host, AT_FDCWD, view.executable, true);
    return found instanceof Errno ? found : { kind: 'inode', mount: found.mount, ino: found.ino };
  }

  mounts(pid: number): readonly ProcMount[] {
    const root = this.#root(pid);
    const found: ProcMount[] = [];
    for (const [id, row] of this.#vfs.mounts.entries()) {
      if (row.parent === 0 && id !== ROOT_MOUNT) continue;
      const point = directoryPath(this.#vfs, { mount: id, ino: row.root }, root);
      if (point instanceof Errno || point.startsWith('(')) continue;
      found.push({
        id,
        parent: row.parent === 0 ? id : row.parent,
        device: row.superblock,
        point,
        source: row.source,
        type: this.#vfs.superblocks.get(row.superblock)!.type,
        options: mountOptions(this.#vfs, row),
      });
    }
    return found;
  }

  fileSystemTypes(): readonly (readonly [name: string, nodev: boolean])[] {
    return fileSystemTypes;
  }

  umask(pid: number): number {
    return processRow(this.#vfs, pid).umask;
  }

  foreground(terminal: number): number {
    const row = this.#vfs.terminals.get(terminalOfDevice(terminal));
    return row === undefined || row.foreground === 0 ? -1 : row.foreground;
  }

  setting(path: string): string {
    return settingOf(this.#vfs.settings, path);
  }

  changeSetting(path: string, value: string): void {
    this.#vfs.settings.set(path, { value });
  }

  openFiles(): number {
    return this.#vfs.files.size;
  }

  #root(pid: number): Place {
    const { rootMount, rootIno } = processRow(this.#vfs, pid);
    return { mount: rootMount, ino: rootIno };
  }

  #place(pid: number, which: 'cwd' | 'root'): Place {
    const row = processRow(this.#vfs, pid);
    return which === 'cwd' ? { mount: row.cwdMount, ino: row.cwdIno } : { mount: row.rootMount, ino: row.rootIno };
  }
}
