/**
 * The VFS server (PID 2): files, directories, descriptors, pipes, terminals, mounts. README.md explains its objects and their
 * order; each file of calls/ handles a family of messages of ipc/protocols/vfs.ts.
 */
import { vfsProtocol } from '../../ipc/protocols/vfs.ts';
import type { Handlers, ServerContext, ServerDefinition } from '../../ipc/server.ts';
import { bootFileSystems } from './boot.ts';
import { attributes } from './calls/attributes.ts';
import { contents } from './calls/contents.ts';
import { cores } from './calls/core.ts';
import { descriptors } from './calls/descriptors.ts';
import { directories } from './calls/directories.ts';
import { epoll } from './calls/epoll.ts';
import { eventDescriptors } from './calls/event-descriptors.ts';
import { hangup } from './calls/hangup.ts';
import { hostEnds } from './calls/host-ends.ts';
import { inotify } from './calls/inotify.ts';
import { ioctl } from './calls/ioctl.ts';
import { lifecycle } from './calls/lifecycle.ts';
import { locks } from './calls/locks.ts';
import { memoryFiles } from './calls/memory-files.ts';
import { mounting } from './calls/mounting.ts';
import { mqueues } from './calls/mqueues.ts';
import { names } from './calls/names.ts';
import { objects } from './calls/objects.ts';
import { openClose } from './calls/open-close.ts';
import { openHow } from './calls/open-how.ts';
import { polling } from './calls/polling.ts';
import { populating } from './calls/populating.ts';
import { processDescriptors } from './calls/process-descriptors.ts';
import { readWrite } from './calls/read-write.ts';
import { sockets } from './calls/sockets.ts';
import { splicing } from './calls/splicing.ts';
import { stats } from './calls/stat.ts';
import { xattrs } from './calls/xattrs.ts';
import { Vfs, type VfsOptions } from './state.ts';

export type VfsHandlers = Handlers<typeof vfsProtocol>;

/** The handlers over a context whose store may already hold a running system. */
export const createVfs = (context: ServerContext, options: VfsOptions = {}): VfsHandlers => {
  const vfs = new Vfs(context, options);
  bootFileSystems(vfs);
  return {
    ...openClose(vfs),
    ...readWrite(vfs),
    ...stats(vfs),
    ...xattrs(vfs),
    ...names(vfs),
    ...directories(vfs),
    ...attributes(vfs),
    ...contents(vfs),
    ...descriptors(vfs),
    ...locks(vfs),
    ...polling(vfs),
    ...epoll(vfs),
    ...eventDescriptors(vfs),
    ...openHow(vfs),
    ...splicing(vfs),
    ...inotify(vfs),
    ...memoryFiles(vfs),
    ...processDescriptors(vfs),
    ...ioctl(vfs),
    ...mounting(vfs),
    ...populating(vfs),
    ...objects(vfs),
    ...cores(vfs),
    ...lifecycle(vfs),
    ...hostEnds(vfs),
    ...hangup(vfs),
    ...sockets(vfs),
    ...mqueues(vfs),
    ping: ({ value }) => ({ result: value }),
  };
};

/** The definition with directories of the host to mount. */
export const vfsServerWith = (options: VfsOptions): ServerDefinition<typeof vfsProtocol> => ({
  name: 'vfs',
  pid: 2,
  protocol: vfsProtocol,
  create: (context) => createVfs(context, options),
});

export const vfsServer: ServerDefinition<typeof vfsProtocol> = vfsServerWith({});
