/** Constants of mmap(2) and its family (asm-generic/mman-common.h, asm/mman.h for x86-64). */
import type { ArgumentKind, BufferRequest } from './arguments.ts';

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;
export const PROT_SEM = 8;
export const PROT_GROWSDOWN = 0x0100_0000;
export const PROT_GROWSUP = 0x0200_0000;

export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_SHARED_VALIDATE = 3;
/** The bits that say which of the three it is. */
export const MAP_TYPE = 0xf;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_32BIT = 0x40;
export const MAP_GROWSDOWN = 0x100;
export const MAP_LOCKED = 0x2000;
export const MAP_NORESERVE = 0x4000;
export const MAP_POPULATE = 0x8000;
export const MAP_STACK = 0x2_0000;
export const MAP_HUGETLB = 0x4_0000;
export const MAP_SYNC = 0x8_0000;
export const MAP_FIXED_NOREPLACE = 0x10_0000;

export const MREMAP_MAYMOVE = 1;
export const MREMAP_FIXED = 2;
export const MREMAP_DONTUNMAP = 4;

export const MS_ASYNC = 1;
export const MS_INVALIDATE = 2;
export const MS_SYNC = 4;

export const MLOCK_ONFAULT = 1;
export const MCL_CURRENT = 1;
export const MCL_FUTURE = 2;
export const MCL_ONFAULT = 4;

export const MADV_NORMAL = 0;
export const MADV_RANDOM = 1;
export const MADV_SEQUENTIAL = 2;
export const MADV_WILLNEED = 3;
export const MADV_DONTNEED = 4;
export const MADV_FREE = 8;
export const MADV_REMOVE = 9;
export const MADV_DONTFORK = 10;
export const MADV_DOFORK = 11;
export const MADV_MERGEABLE = 12;
export const MADV_UNMERGEABLE = 13;
export const MADV_HUGEPAGE = 14;
export const MADV_NOHUGEPAGE = 15;
export const MADV_DONTDUMP = 16;
export const MADV_DODUMP = 17;
export const MADV_WIPEONFORK = 18;
export const MADV_KEEPONFORK = 19;
export const MADV_COLD = 20;
export const MADV_PAGEOUT = 21;

/** vm.max_map_count: regions of one process. */
export const MAX_MAP_COUNT = 65_530;
/** vm.mmap_min_addr: nothing is mapped below. */
export const MMAP_MIN_ADDR = 0x1_0000;

export const PROTECTIONS = {
  PROT_READ,
  PROT_WRITE,
  PROT_EXEC,
  PROT_SEM,
  PROT_GROWSDOWN,
  PROT_GROWSUP,
};
export const MREMAP_FLAGS = { MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP };
export const MSYNC_FLAGS = { MS_ASYNC, MS_INVALIDATE, MS_SYNC };
export const MLOCK2_FLAGS = { MLOCK_ONFAULT };
export const MLOCKALL_FLAGS = { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT };
export const ADVICES = {
  MADV_NORMAL,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_REMOVE,
  MADV_DONTFORK,
  MADV_DOFORK,
  MADV_MERGEABLE,
  MADV_UNMERGEABLE,
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MADV_DONTDUMP,
  MADV_DODUMP,
  MADV_WIPEONFORK,
  MADV_KEEPONFORK,
  MADV_COLD,
  MADV_PAGEOUT,
};

/** mincore's result: one byte for each page of the range whose length is argument `lengthIndex`. */
export const residencyVector = (lengthIndex: number): ArgumentKind<BufferRequest | null> => ({
  name: 'vector',
  when: 'leave',
  load: (a, i) => {
    const length = Math.ceil(a.u53(lengthIndex) / 4096);
    return { direction: 'out', segments: [{ address: a.u53(i), length }], length };
  },
  show: (v, guest, result) => {
    const segment = v?.segments[0];
    if (segment === undefined || result < 0)
      return segment === undefined ? 'NULL' : `0x${segment.address.toString(16)}`;
    const bytes = guest.read(segment.address, Math.min(segment.length, 32));
    if (!(bytes instanceof Uint8Array)) return `0x${segment.address.toString(16)}`;
    return `[${[...bytes].map((byte) => byte & 1).join('')}${segment.length > 32 ? '...' : ''}]`;
  },
});
