/** shmget(2), shmat(2), shmdt(2), shmctl(2). */

import { CAP_SYS_ADMIN, capabilityBit } from '../../../abi/credentials.ts';
import { EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM, ENOSPC, EPERM, Errno } from '../../../abi/errno.ts';
import { MMAP_MIN_ADDR, PROT_EXEC, PROT_READ, PROT_WRITE } from '../../../abi/mman.ts';
import * as shm from '../../../abi/shm.ts';
import type { ProcessView } from '../../../ipc/kernel-calls.ts';
import { PAGE_SIZE } from '../../../memory/layout.ts';
import { findFree, isFree } from '../free-space.ts';
import { mayMap } from '../limits.ts';
import { overlapping } from '../regions.ts';
import { type MemoryRegion, SHARED, SHM, type ShmSegment } from '../rows.ts';
import { indexOf, markDestroyed, mayAccess, nextId, seconds, sequenceOf } from '../segments.ts';
import { aligned, editProcess, inUserSpace, type MemoryHandlers, type MemoryServer, pageUp, wraps } from '../state.ts';
import { install, unmap } from './mmap.ts';

const PERMISSIONS = 0o777;

const nameOf = (key: number): string => `/SYSV${(key >>> 0).toString(16).padStart(8, '0')} (deleted)`;

const statusOf = (segment: Readonly<ShmSegment>): Uint8Array =>
  shm.encodeShmidDs({ ...segment, sequence: sequenceOf(segment.id) });

export const shmCalls = (m: MemoryServer): Pick<MemoryHandlers, 'shmget' | 'shmat' | 'shmdt' | 'shmctl'> => {
  const { kernel } = m.context;

  const create = (pid: number, key: number, size: number, flags: number): Errno | { result: number } => {
    if (size < shm.SHMMIN || wraps(0, size)) return EINVAL;
    if ((flags & shm.SHM_HUGETLB) !== 0) return ENOMEM;
    const who = kernel.process(pid);
    if (who instanceof Errno) return who;
    const fresh = nextId(m);
    if (fresh === undefined) return ENOSPC;
    const object = kernel.createShared(pageUp(size));
    if (object instanceof Errno) return object;
    const { id, index } = fresh;
    m.segments.set(index, {
      id,
      key,
      size,
      mode: flags & PERMISSIONS,
      uid: who.euid,
      gid: who.egid,
      cuid: who.euid,
      cgid: who.egid,
      attached: 0,
      object,
      atime: 0,
      dtime: 0,
      ctime: seconds(m),
      cpid: pid,
      lpid: 0,
    });
    m.segmentByObject.set(object, { index });
    if (key !== shm.IPC_PRIVATE) m.segmentByKey.set(key, { index });
    return { result: id };
  };

  return {
    shmget({ key, size, flags }, { caller: { pid } }) {
      const found = key === shm.IPC_PRIVATE ? undefined : m.segmentByKey.get(key);
      if (found === undefined) {
        if (key !== shm.IPC_PRIVATE && (flags & shm.IPC_CREAT) === 0) return ENOENT;
        return create(pid, key, size, flags);
      }
      if ((flags & shm.IPC_CREAT) !== 0 && (flags & shm.IPC_EXCL) !== 0) return EEXIST;
      const segment = m.segments.get(found.index)!;
      const who = kernel.process(pid);
      if (who instanceof Errno) return who;
      if (size > segment.size) return EINVAL;
      return mayAccess(segment, who, flags & PERMISSIONS) ?? { result: segment.id };
    },

    shmat({ id, addr, flags }, { caller: { pid } }) {
      const remap = (flags & shm.SHM_REMAP) !== 0;
      let start = addr;
      if (start !== 0 && !aligned(start)) {
        if ((flags & shm.SHM_RND) === 0) return EINVAL;
        start -= start % PAGE_SIZE;
      }
      if (start === 0 && remap) return EINVAL;
      const index = indexOf(m, id);
      if (index instanceof Errno) return index;
      const segment = m.segments.get(index)!;
      const who = kernel.process(pid);
      if (who instanceof Errno) return who;
      const readOnly = (flags & shm.SHM_RDONLY) !== 0;
      const execute = (flags & shm.SHM_EXEC) !== 0;
      const refused = mayAccess(segment, who, (readOnly ? 0o444 : 0o666) | (execute ? 0o111 : 0));
      if (refused !== undefined) return refused;

      const length = pageUp(segment.size);
      const prot = PROT_READ | (readOnly ? 0 : PROT_WRITE) | (execute ? PROT_EXEC : 0);
      const full = mayMap(m, pid, length, prot, SHARED);
      if (full !== undefined) return full;
      if (start !== 0) {
        if (!inUserSpace(start, length)) return wraps(start, length) ? EINVAL : ENOMEM;
        if (start < MMAP_MIN_ADDR) return EPERM;
        if (!remap && !isFree(m, pid, start, length)) return EINVAL;
      } else {
        const free = findFree(m, pid, editProcess(m, pid), length, prot);
        if (free === undefined) return ENOMEM;
        start = free;
      }
      const region: MemoryRegion = {
        length,
        prot,
        flags: SHARED | SHM,
        object: segment.object,
        offset: 0,
        name: nameOf(segment.key),
      };
      const installed = install(m, pid, start, region);
      if (installed !== undefined) return installed;
      const row = m.segments.edit(index)!;
      row.atime = seconds(m);
      row.lpid = pid;
      return { result: start };
    },

    /** Detaches what one shmat attached, even if parts of it were unmapped or protected since. */
    shmdt({ addr }, { caller: { pid } }) {
      if (!aligned(addr)) return EINVAL;
      // The first piece may be gone: its object is that of the first region at or after the address that began there.
      let first = m.regions.ceiling(pid, addr);
      while (first !== undefined && !((first[1].flags & SHM) !== 0 && first[0] - first[1].offset === addr))
        first = first[0] - addr > 2 ** 46 ? undefined : m.regions.ceiling(pid, first[0] + 1);
      if (first === undefined) return EINVAL;
      const { object } = first[1];
      const found = m.segmentByObject.get(object);
      const size = found === undefined ? first[1].length : pageUp(m.segments.get(found.index)!.size);
      for (const [start, region] of overlapping(m, pid, addr, addr + size)) {
        if ((region.flags & SHM) === 0 || region.object !== object || start - region.offset !== addr) continue;
        const unmapped = unmap(m, pid, start, region.length);
        if (unmapped !== undefined) return unmapped;
      }
      return { result: 0 };
    },

    shmctl({ id, command, buf }, { caller: { pid } }) {
      const who = kernel.process(pid);
      if (who instanceof Errno) return who;
      const give = (bytes: Uint8Array, result: number): Errno | { result: number } => {
        if (buf === null) return EFAULT;
        const written = m.context.copyOut(buf, 0, bytes);
        if (written instanceof Errno) return written;
        return written < bytes.length ? EFAULT : { result };
      };
      const highest = (): number => Math.max(0, ...m.segments.keys());

      switch (command) {
        case shm.IPC_INFO:
          return give(shm.encodeShminfo(), highest());
        case shm.SHM_INFO: {
          let pages = 0;
          for (const [, segment] of m.segments.entries()) pages += pageUp(segment.size) / PAGE_SIZE;
          return give(shm.encodeShmInfo(m.segments.size, pages, pages), highest());
        }
        case shm.SHM_STAT:
        case shm.SHM_STAT_ANY: {
          // Here `id` is an index.
          const segment = m.segments.get(id);
          if (segment === undefined) return EINVAL;
          const refused = command === shm.SHM_STAT_ANY ? undefined : mayAccess(segment, who, 0o444);
          return refused ?? give(statusOf(segment), segment.id);
        }
        case shm.IPC_STAT: {
          const index = indexOf(m, id);
          if (index instanceof Errno) return index;
          const segment = m.segments.get(index)!;
          return mayAccess(segment, who, 0o444) ?? give(statusOf(segment), 0);
        }
        case shm.IPC_SET: {
          if (buf === null) return EFAULT;
          const bytes = m.context.copyIn(buf, 0, shm.SHMID_DS_BYTES);
          if (bytes instanceof Errno) return bytes;
          const index = indexOf(m, id);
          if (index instanceof Errno) return index;
          if (!owns(m.segments.get(index)!, who)) return EPERM;
          const { uid, gid, mode } = shm.decodeShmidDs(bytes);
          const segment = m.segments.edit(index)!;
          segment.uid = uid;
          segment.gid = gid;
          segment.mode = (segment.mode & ~PERMISSIONS) | (mode & PERMISSIONS);
          segment.ctime = seconds(m);
          return { result: 0 };
        }
        case shm.IPC_RMID: {
          const index = indexOf(m, id);
          if (index instanceof Errno) return index;
          if (!owns(m.segments.get(index)!, who)) return EPERM;
          markDestroyed(m, index);
          return { result: 0 };
        }
        case shm.SHM_LOCK:
        case shm.SHM_UNLOCK: {
          const index = indexOf(m, id);
          if (index instanceof Errno) return index;
          if (!owns(m.segments.get(index)!, who)) return EPERM;
          const segment = m.segments.edit(index)!;
          if (command === shm.SHM_LOCK) segment.mode |= shm.SHM_LOCKED;
          else segment.mode &= ~shm.SHM_LOCKED;
          return { result: 0 };
        }
        default:
          return EINVAL;
      }
    },
  };
};

const owns = (segment: Readonly<ShmSegment>, who: ProcessView): boolean =>
  who.euid === segment.uid ||
  who.euid === segment.cuid ||
  (who.capabilities.effective & capabilityBit(CAP_SYS_ADMIN)) !== 0n;
