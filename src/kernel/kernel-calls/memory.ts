/**
 * Kernel calls of the memory manager: the address spaces. Changes of a space are effects, done in order when the
 * transaction has committed; only fork, whose outcome the caller must know, is done at once and undone on rollback.
 */
import { EAGAIN, EINVAL, ENOMEM, Errno, ESRCH, type Result } from '../../abi/errno.ts';
import type { Engine } from '../../cpu/engine.ts';
import { Access } from '../../cpu/engine.ts';
import type { KernelCalls } from '../../ipc/kernel-calls.ts';
import { FaultPending } from '../../ipc/server.ts';
import { PAGE_SIZE, PROT_WRITE, USER_LIMIT } from '../../memory/layout.ts';
import type { AddressSpace } from '../../memory/space.ts';
import type { CodeObserver } from '../../memory/table.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../process.ts';

/** Modified pages of a shared mapping must be written to their file before the VFS goes on. */
export class WritebackNeeded extends FaultPending {
  constructor(readonly object: number) {
    super();
  }
}

type Calls = Pick<
  KernelCalls,
  | 'mapPages'
  | 'unmapPages'
  | 'changeProtection'
  | 'movePages'
  | 'discardPages'
  | 'populatePages'
  | 'residentPages'
  | 'syncPages'
  | 'forkMemory'
  | 'shareMemory'
  | 'leaveMemory'
  | 'setHeap'
  | 'createShared'
  | 'releaseShared'
>;

/** Has the engine of an address space drop what it made of changed code, whosever the space is by then. */
class Observer implements CodeObserver {
  engine: Engine | undefined;

  onCodeChange(page: number): void {
    this.engine?.invalidate(page);
  }

  onCodeReset(): void {
    this.engine?.reset();
  }
}

const take = (kernel: Kernel, process: Process, space: AddressSpace, observer: Observer): void => {
  process.attach(space, kernel.windows.bind(space));
  observer.engine = process.engine;
};

/** The address space of a process, made when it is first needed. */
export const spaceOf = (kernel: Kernel, process: Process): AddressSpace => {
  if (process.space === undefined) {
    const observer = new Observer();
    take(kernel, process, kernel.machine.createSpace(observer), observer);
  }
  return process.space!;
};

const badRange = (start: number, length: number): boolean =>
  start < 0 || length <= 0 || start % PAGE_SIZE !== 0 || length % PAGE_SIZE !== 0 || start + length > USER_LIMIT;

export const memoryCalls = (kernel: Kernel): Calls => {
  const { machine, processes, undo } = kernel;

  const change = (pid: number, start: number, length: number, effect: (space: AddressSpace) => void): Result<void> => {
    const process = processes.get(pid);
    if (process === undefined || process.gone) return ESRCH;
    if (badRange(start, length)) return EINVAL;
    undo.afterCommit(() => {
      if (process.space !== undefined) effect(process.space);
    });
  };

  /** A window that the host will not give is as if there were no more processes to be had. */
  const newSpace = (make: () => AddressSpace): Result<AddressSpace> => {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      kernel.log('the host gives no more memory for address spaces');
      return EAGAIN;
    }
  };

  return {
    mapPages: (pid, start, length, protection, backing, name): Result<void> => {
      const process = processes.get(pid);
      if (process === undefined || process.gone) return ESRCH;
      if (badRange(start, length)) return EINVAL;
      undo.afterCommit(() => {
        if (!process.gone) spaceOf(kernel, process).map(start, length, protection, backing, name);
      });
    },

    unmapPages: (pid, start, length) => change(pid, start, length, (space) => space.unmap(start, length)),

    changeProtection: (pid, start, length, protection) =>
      change(pid, start, length, (space) => space.protect(start, length, protection)),

    movePages: (pid, from, to, length) =>
      badRange(to, length) ? EINVAL : change(pid, from, length, (space) => space.move(from, to, length)),

    discardPages: (pid, start, length) => change(pid, start, length, (space) => space.discard(start, length)),

    populatePages: (pid, start, length) =>
      change(pid, start, length, () => {
        const process = processes.get(pid)!;
        const populate = (): void => {
          let going = true;
          for (let at = start; going && at < start + length && process.space !== undefined; at += PAGE_SIZE) {
            const mapping = process.space.mappingAt(at);
            if (mapping === undefined || mapping.protection === 0) continue;
            const writes = (mapping.protection & PROT_WRITE) !== 0 && mapping.backing.kind !== 'shared';
            kernel.faults.serve(process, at, writes ? Access.Write : Access.Read, (refusal) => {
              if (refusal !== undefined) going = false;
            });
          }
        };
        // Pages of files take messages, which may not be sent while a server's request is being committed.
        kernel.later(populate);
      }),

    residentPages: (pid, start, length) => {
      const space = processes.get(pid)?.space;
      if (space === undefined) return ESRCH;
      return badRange(start, length) ? EINVAL : space.resident(start, length);
    },

    syncPages: (pid, start, length) =>
      change(pid, start, length, (space) => {
        for (const { start: from, end, backing } of space.mappings()) {
          if (backing.kind !== 'shared' || !backing.file || end <= start || from >= start + length) continue;
          const first = Math.max(from, start);
          const offset = backing.offset + (first - from);
          const pages = machine.objects.dirtyPages(backing.object, offset, Math.min(end, start + length) - first);
          kernel.later(() => kernel.faults.writeBack(backing.object, pages, () => {}));
        }
      }),

    forkMemory: (parent, child) => {
      const from = processes.get(parent);
      const to = processes.get(child);
      if (from?.space === undefined || to === undefined) return ESRCH;
      if (to.space !== undefined) return EINVAL;
      const observer = new Observer();
      const { space: parents } = from;
      const space = newSpace(() => parents.fork(observer));
      if (space instanceof Errno) return space;
      take(kernel, to, space, observer);
      to.engine!.inherit(from.engine!);
      undo.push({ undo: () => to.detach() });
    },

    shareMemory: (parent, child) => {
      const from = processes.get(parent);
      const to = processes.get(child);
      if (from?.space === undefined || to === undefined) return ESRCH;
      if (to.space !== undefined) return EINVAL;
      to.share(from);
      undo.push({ undo: () => to.detach() });
    },

    leaveMemory: (pid): Result<void> => {
      const process = processes.get(pid);
      if (process === undefined || process.gone) return ESRCH;
      if (process.held === undefined || process.held.users === 1) {
        undo.afterCommit(() => process.space?.unmap(0, USER_LIMIT));
        return undefined;
      }
      const observer = new Observer();
      const space = newSpace(() => machine.createSpace(observer));
      if (space instanceof Errno) return space;
      undo.push({ undo: () => space.release() });
      undo.afterCommit(() => {
        process.detach();
        take(kernel, process, space, observer);
      });
    },

    setHeap: (pid, start, end) => {
      const process = processes.get(pid);
      if (process === undefined) return ESRCH;
      const { heapStart, heapEnd } = process;
      process.heapStart = start;
      process.heapEnd = end;
      undo.push({
        undo: () => {
          process.heapStart = heapStart;
          process.heapEnd = heapEnd;
        },
      });
    },

    createShared: (bytes) => {
      if (bytes / PAGE_SIZE > machine.limitPages) return ENOMEM;
      const object = machine.objects.create(bytes);
      undo.push({ undo: () => machine.objects.release(object) });
      return object;
    },

    releaseShared: (object) => {
      if (machine.objects.get(object, false) === undefined) return EINVAL;
      undo.afterCommit(() => machine.objects.release(object));
    },
  };
};
