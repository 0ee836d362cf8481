/** Core files (core(5)): their name from core_pattern, their making in the process's name, and writing them. */
import { EBADF, EEXIST, EFAULT, ENAMETOOLONG, EOPNOTSUPP, Errno, type Result } from '../../../abi/errno.ts';
import { AT_FDCWD } from '../../../abi/fcntl.ts';
import { S_IFREG } from '../../../abi/stat.ts';
import { inodeOf, superblockOf } from '../../../fs/object-number.ts';
import { settingOf } from '../../../fs/procfs/settings.ts';
import type { ProcessView } from '../../../ipc/kernel-calls.ts';
import { actorOf } from '../actor.ts';
import { fileSystem, objectOf } from '../mounts.ts';
import { createIn } from '../open.ts';
import type { Vfs } from '../state.ts';
import { walk } from '../walk.ts';
import type { CallsOf } from './calls-of.ts';
import { unlinkName } from './names.ts';
import { useObject } from './objects.ts';

const RLIMIT_CORE = 4;
/** CORENAME_MAX_SIZE. */
const NAME_MAX = 128;

/** The file's name: the pattern with its specifiers filled in. */
const nameOf = (vfs: Vfs, process: ProcessView, tid: number, signal: number): Result<string> => {
  const pattern = settingOf(vfs.settings, 'kernel/core_pattern');
  // A program that takes the dump from a pipe.
  if (pattern.startsWith('|')) return EOPNOTSUPP;
  const values: Readonly<Record<string, () => string>> = {
    '%': () => '%',
    p: () => String(process.pid),
    P: () => String(process.pid),
    i: () => String(tid),
    I: () => String(tid),
    u: () => String(process.uid),
    g: () => String(process.gid),
    d: () => '1',
    s: () => String(signal),
    t: () => String(vfs.now().seconds),
    h: () => vfs.kernel.system().hostname,
    // Slashes would lead elsewhere: they become exclamation marks.
    e: () => process.name.replaceAll('/', '!'),
    f: () => process.executable.slice(process.executable.lastIndexOf('/') + 1),
    E: () => process.executable.replaceAll('/', '!'),
    c: () => String(process.limits[RLIMIT_CORE]?.[0] ?? 0),
  };
  let name = pattern.replace(/%(.?)/gs, (_, specifier: string) => values[specifier]?.() ?? '');
  if (settingOf(vfs.settings, 'kernel/core_uses_pid') !== '0' && !/%[pP]/.test(pattern)) name += `.${process.pid}`;
  return name.length > NAME_MAX ? ENAMETOOLONG : name;
};

export const cores = (vfs: Vfs): CallsOf<'openCore' | 'writeCore'> => ({
  openCore: ({ pid, tid, signal }) => {
    const actor = actorOf(vfs, pid);
    if (actor instanceof Errno) return actor;
    const process = vfs.kernel.process(pid);
    if (process instanceof Errno) return process;
    const path = nameOf(vfs, process, tid, signal);
    if (path instanceof Errno) return path;
    // What has the name goes; it is made anew, so that nobody else has it open.
    void unlinkName(vfs, actor, AT_FDCWD, path);
    const found = walk(vfs, actor, AT_FDCWD, path, 'never');
    if (found instanceof Errno) return found;
    if (found.ino !== -1 || found.slash) return EEXIST;
    const ino = createIn(vfs, actor, found.parent, found.name, S_IFREG | (0o600 & ~actor.process.umask));
    if (ino instanceof Errno) return ino;
    const object = objectOf(vfs, { mount: found.parent.mount, ino });
    useObject(vfs, object, false, false);
    return { object };
  },

  writeCore: ({ object, offset, buf }) => {
    if (!vfs.objects.has(object)) return EBADF;
    if (buf === null) return EFAULT;
    const bytes = vfs.context.copyIn(buf, 0, buf.length);
    if (bytes instanceof Errno) return bytes;
    const written = fileSystem(vfs, superblockOf(object)).write(inodeOf(object), offset, bytes);
    return written instanceof Errno ? written : { result: written };
  },
});
