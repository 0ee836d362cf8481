/** The memory manager's handlers, those of the reference by its names first. Addresses and errors as Linux gives them. */
import { beforeEach, describe, expect, it } from 'vitest';
import * as errno from '../../abi/errno.ts';
import { Errno } from '../../abi/errno.ts';
import * as mman from '../../abi/mman.ts';
import { RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK } from '../../abi/resource.ts';
import * as shm from '../../abi/shm.ts';
import { STACK_TOP, ZONE_START } from '../../memory/layout.ts';
import { Harness } from './testing/harness.ts';

const HEAP = 0x1000_0000;
const PAGE = 4096;
const FIXED = 0x32;
const SHARED_ANONYMOUS = 0x21;
let h: Harness;

beforeEach(() => {
  h = new Harness();
  h.start(5);
});

describe("the reference's tests", () => {
  it('test_brk_extends_heap', () => {
    expect(h.ok('brk', 5, { addr: 0 })).toBe(HEAP);
    expect(h.ok('brk', 5, { addr: HEAP + PAGE })).toBe(HEAP + PAGE);
    expect(h.m.processes.get(5)!.heapBreak).toBe(HEAP + PAGE);
    expect(h.heaps.get(5)).toEqual([HEAP, HEAP + PAGE]);
    expect(h.poke(5, HEAP + PAGE - 1, 9)).toBeUndefined();
    expect(h.poke(5, HEAP + PAGE, 9)).toBe('maperr');
  });

  it('test_mmap_finds_free_region', () => {
    const first = h.mmap(5, 8192) as number;
    expect(first).toBe(ZONE_START);
    expect(first).toBeGreaterThanOrEqual(0x7000_0000_0000);
    const second = h.mmap(5, PAGE, { protection: 1 }) as number;
    expect(second).toBe(first + 8192);
    expect(h.regions(5)).toContainEqual([first, first + 8192, 3, '']);
    expect(h.poke(5, first + 8191, 1)).toBeUndefined();
  });

  it('test_munmap_removes_region', () => {
    const at = h.mmap(5, 8192) as number;
    h.poke(5, at, 1);
    expect(h.ok('munmap', 5, { addr: at, length: 8192 })).toBe(0);
    expect(h.regions(5).some(([start]) => start === at)).toBe(false);
    expect(h.peek(5, at)).toBe('maperr');
    expect(h.mmap(5, 8192)).toBe(at);
    expect(h.peek(5, at)).toBe(0);
  });

  it('test_shmget_creates_segment', () => {
    const id = h.ok('shmget', 5, { key: 42, size: 5000, flags: shm.IPC_CREAT | 0o600 });
    expect(id).toBe(0);
    expect(h.ok('shmget', 5, { key: 42, size: 0, flags: 0 })).toBe(id);
    const buf = h.grant(shm.SHMID_DS_BYTES);
    h.ok('shmctl', 5, { id, command: shm.IPC_STAT, buf });
    const view = new DataView(h.grants.get(buf.id)!.buffer);
    expect([view.getInt32(0, true), view.getUint32(4, true), view.getUint32(20, true)]).toEqual([42, 1000, 0o600]);
    expect(view.getBigUint64(48, true)).toBe(5000n);
  });
});

describe('brk', () => {
  it('shrinks, and what comes back is zero', () => {
    h.ok('brk', 5, { addr: HEAP + 3 * PAGE });
    h.poke(5, HEAP + 2 * PAGE, 7);
    expect(h.ok('brk', 5, { addr: HEAP + PAGE + 1 })).toBe(HEAP + PAGE + 1);
    expect(h.peek(5, HEAP + 2 * PAGE)).toBe('maperr');
    h.ok('brk', 5, { addr: HEAP + 3 * PAGE });
    expect(h.peek(5, HEAP + 2 * PAGE)).toBe(0);
    expect(h.regions(5)).toContainEqual([HEAP, HEAP + 3 * PAGE, 3, '[heap]']);
  });

  it('answers the break as it is when it cannot be had', () => {
    h.ok('brk', 5, { addr: HEAP + 10 });
    expect(h.ok('brk', 5, { addr: HEAP - 1 })).toBe(HEAP + 10);
    expect(h.ok('brk', 5, { addr: 0x4000_0001 })).toBe(HEAP + 10);
    h.mmap(5, PAGE, { addr: HEAP + 8 * PAGE, flags: FIXED });
    expect(h.ok('brk', 5, { addr: HEAP + 9 * PAGE })).toBe(HEAP + 10);
    h.limit(5, RLIMIT_DATA, h.m.processes.get(5)!.dataBytes + PAGE);
    expect(h.ok('brk', 5, { addr: HEAP + 3 * PAGE })).toBe(HEAP + 10);
    expect(h.ok('brk', 5, { addr: HEAP + 2 * PAGE })).toBe(HEAP + 2 * PAGE);
  });

  it('follows an image that lies where the heap would', () => {
    const reply = h.call('exec', 5, {
      pid: 5,
      segments: [0xfff_f000, 0x5000, 7, -1, 0],
      names: [''],
      stackSize: 0,
      stackExecutable: false,
      imageEnd: 0x1000_3123,
      heapFollows: false,
      stackTop: STACK_TOP,
      zoneStart: ZONE_START,
      heapGap: 0,
    });
    expect(reply).toEqual({ heapStart: 0x1000_4000 });
    expect(h.ok('brk', 5, { addr: 0x1000_5000 })).toBe(0x1000_5000);
  });
});

describe('mmap', () => {
  it.each([
    ['no length', { length: 0 }, errno.EINVAL],
    ['no type', { flags: 0x20 }, errno.EINVAL],
    ['both types and more', { flags: 0x2f }, errno.EINVAL],
    ['an offset within a page', { offset: 1, object: 3, flags: 2 }, errno.EINVAL],
    ['a fixed address within a page', { flags: FIXED, addr: 0x5000_0001 }, errno.EINVAL],
    ['a fixed address past the end', { flags: FIXED, addr: 0x7fff_ffff_f000 }, errno.ENOMEM],
    ['a fixed address at zero', { flags: FIXED, addr: 0 }, errno.EPERM],
    ['more than there is', { length: 2 ** 50 }, errno.ENOMEM],
    ['huge pages', { flags: 0x40022 }, errno.ENOMEM],
    ['a taken address with NOREPLACE', { flags: 0x100022, addr: 0x40_0000 }, errno.EEXIST],
  ])('refuses %s', (_, more, expected) => {
    expect(h.mmap(5, PAGE, more)).toBe(expected);
  });

  it('takes a free hint, and another place for a taken one', () => {
    expect(h.mmap(5, PAGE, { addr: 0x7123_5000_0010 })).toBe(0x7123_5000_0000);
    expect(h.mmap(5, PAGE, { addr: 0x7123_5000_0000 })).toBe(ZONE_START);
    // The slot of this one is the zone's first.
    expect(h.mmap(5, PAGE, { addr: 0x7200_4000_0000 })).toBe(ZONE_START + PAGE);
    // That of this one is taken by the region at the hint above.
    const big = h.mmap(5, 0x2000_0000, { protection: 1 }) as number;
    expect(big % 2 ** 32 >= 0x5000_1000 || big % 2 ** 32 < 0x5000_0000 - 0x2000_0000).toBe(true);
  });

  it('replaces what is mapped at a fixed address', () => {
    const at = h.mmap(5, 4 * PAGE) as number;
    h.poke(5, at + PAGE, 5);
    expect(h.mmap(5, PAGE, { addr: at + PAGE, flags: FIXED, protection: 1 })).toBe(at + PAGE);
    expect(h.peek(5, at + PAGE)).toBe(0);
    expect(h.regions(5).filter(([start]) => start >= at && start < at + 4 * PAGE)).toEqual([
      [at, at + PAGE, 3, ''],
      [at + PAGE, at + 2 * PAGE, 1, ''],
      [at + 2 * PAGE, at + 4 * PAGE, 3, ''],
    ]);
  });

  it('joins neighbours that are alike and fills holes by best fit', () => {
    const places = Array.from({ length: 6 }, () => h.mmap(5, 2 * PAGE) as number);
    expect(h.regions(5).filter(([start]) => start === places[0])).toEqual([[places[0], places[5] + 2 * PAGE, 3, '']]);
    h.ok('munmap', 5, { addr: places[1], length: 2 * PAGE });
    h.ok('munmap', 5, { addr: places[3], length: PAGE });
    expect(h.mmap(5, PAGE)).toBe(places[3]);
    expect(h.mmap(5, 2 * PAGE)).toBe(places[1]);
  });

  it('keeps shared anonymous memory in common after fork', () => {
    const at = h.mmap(5, PAGE, { flags: SHARED_ANONYMOUS }) as number;
    const own = h.mmap(5, PAGE) as number;
    h.poke(5, at, 1);
    h.poke(5, own, 1);
    h.call('fork', 0, { parent: 5, child: 6, shared: false });
    h.poke(6, at, 2);
    h.poke(6, own, 2);
    expect([h.peek(5, at), h.peek(5, own)]).toEqual([2, 1]);
    h.call('exit', 0, { pid: 6 });
    h.call('exit', 0, { pid: 5 });
    expect(h.machine.usedPages).toBe(0);
  });

  it('puts large reservations outside the zone and finds room for more than the zone has', () => {
    const reservation = h.mmap(5, 64 * 2 ** 30, { protection: 0, flags: 0x4022 }) as number;
    expect(reservation).toBeGreaterThan(ZONE_START + 2 ** 31);
    expect(h.mmap(5, PAGE)).toBe(ZONE_START);
    const places = Array.from({ length: 5 }, () => h.mmap(5, 2 ** 30));
    expect(places.every((place) => typeof place === 'number')).toBe(true);
    h.poke(5, (places[4] as number) + 5, 77);
    expect(h.peek(5, (places[4] as number) + 5)).toBe(77);
  });

  it('keeps to RLIMIT_AS, RLIMIT_DATA and the number of regions', () => {
    const { virtualBytes, dataBytes } = h.m.processes.get(5)!;
    h.limit(5, RLIMIT_AS, virtualBytes + 2 * PAGE);
    expect(h.mmap(5, 3 * PAGE)).toBe(errno.ENOMEM);
    const at = h.mmap(5, 2 * PAGE) as number;
    // What a fixed mapping replaces does not count.
    expect(h.mmap(5, PAGE, { addr: at, flags: FIXED })).toBe(at);
    h.limit(5, RLIMIT_AS, Number.POSITIVE_INFINITY);
    h.limit(5, RLIMIT_DATA, dataBytes + 2 * PAGE);
    expect(h.mmap(5, PAGE)).toBe(errno.ENOMEM);
    const readable = h.mmap(5, PAGE, { protection: 1 }) as number;
    expect(h.call('mprotect', 5, { addr: readable, length: PAGE, protection: 3 })).toBe(errno.ENOMEM);
  });

  it('maps below 2 GiB if asked', () => {
    const at = h.mmap(5, PAGE, { flags: 0x62 }) as number;
    expect(at).toBeLessThan(2 ** 31);
    // Its slot is left alone.
    expect((h.mmap(5, PAGE) as number) % 2 ** 32).not.toBe(at);
  });
});

describe('munmap', () => {
  it('takes any part away, over holes', () => {
    const at = h.mmap(5, 6 * PAGE) as number;
    h.ok('munmap', 5, { addr: at + 2 * PAGE, length: 1 });
    expect(h.ok('munmap', 5, { addr: at + PAGE, length: 3 * PAGE })).toBe(0);
    expect(h.regions(5).filter(([start]) => start >= at && start < at + 6 * PAGE)).toEqual([
      [at, at + PAGE, 3, ''],
      [at + 4 * PAGE, at + 6 * PAGE, 3, ''],
    ]);
    expect(h.ok('munmap', 5, { addr: 0x6000_0000_0000, length: PAGE })).toBe(0);
  });

  it.each([
    [{ addr: 1, length: PAGE }],
    [{ addr: 0x5000_0000, length: 0 }],
    [{ addr: 0x7fff_ffff_e000, length: 0x2000 }],
  ])('refuses %o', (request) => {
    expect(h.call('munmap', 5, request)).toBe(errno.EINVAL);
  });
});

describe('mprotect', () => {
  it('splits and merges', () => {
    const at = h.mmap(5, 4 * PAGE) as number;
    const mine = () => h.regions(5).filter(([start]) => start >= at && start < at + 4 * PAGE);
    h.ok('mprotect', 5, { addr: at + PAGE, length: PAGE, protection: 0 });
    expect(mine().map(([, , prot]) => prot)).toEqual([3, 0, 3]);
    expect([h.peek(5, at + PAGE), h.poke(5, at + 2 * PAGE, 1)]).toEqual(['accerr', undefined]);
    h.ok('mprotect', 5, { addr: at + PAGE, length: PAGE, protection: 3 });
    expect(mine()).toHaveLength(1);
  });

  it('changes what comes before a hole, then says ENOMEM', () => {
    const at = h.mmap(5, 3 * PAGE) as number;
    h.ok('munmap', 5, { addr: at + PAGE, length: PAGE });
    expect(h.call('mprotect', 5, { addr: at, length: 3 * PAGE, protection: 1 })).toBe(errno.ENOMEM);
    expect([h.poke(5, at, 1), h.poke(5, at + 2 * PAGE, 1)]).toEqual(['accerr', undefined]);
  });

  it('refuses to make a shared read-only file writable', () => {
    const at = h.mmap(5, PAGE, { flags: 1, object: 9, protection: 1, maxProtection: 5 }) as number;
    expect(h.call('mprotect', 5, { addr: at, length: PAGE, protection: 3 })).toBe(errno.EACCES);
    expect(h.ok('mprotect', 5, { addr: at, length: PAGE, protection: 5 })).toBe(0);
  });

  it('refuses bad arguments', () => {
    expect(h.call('mprotect', 5, { addr: 1, length: 1, protection: 1 })).toBe(errno.EINVAL);
    expect(h.call('mprotect', 5, { addr: 0x40_0000, length: PAGE, protection: 0x40 })).toBe(errno.EINVAL);
    expect(h.ok('mprotect', 5, { addr: 0x6000_0000, length: 0, protection: 1 })).toBe(0);
    expect(h.call('pkeyMprotect', 5, { addr: 0x40_0000, length: PAGE, protection: 1, key: 1 })).toBe(errno.EINVAL);
  });

  it('reaches to the start of a stack with PROT_GROWSDOWN', () => {
    const [start] = h.regions(5).find(([, , , name]) => name === '[stack]')!;
    h.ok('mprotect', 5, { addr: STACK_TOP - PAGE, length: PAGE, protection: 7 | mman.PROT_GROWSDOWN });
    expect(h.regions(5)).toContainEqual([start, STACK_TOP, 7, '[stack]']);
    expect(h.call('mprotect', 5, { addr: 0x40_0000, length: PAGE, protection: 1 | mman.PROT_GROWSDOWN })).toBe(
      errno.EINVAL,
    );
  });
});

describe('mremap', () => {
  const remap = (oldAddr: number, oldLength: number, newLength: number, flags = 0, newAddr = 0) => {
    const outcome = h.call('mremap', 5, { oldAddr, oldLength, newLength, flags, newAddr });
    return outcome instanceof Errno ? outcome : outcome.result;
  };

  it('grows in place, moves if it must and may, and shrinks', () => {
    const at = h.mmap(5, 2 * PAGE) as number;
    h.poke(5, at + PAGE, 8);
    expect(remap(at, 2 * PAGE, 4 * PAGE)).toBe(at);
    h.mmap(5, PAGE, { addr: at + 4 * PAGE, flags: FIXED, protection: 1 });
    expect(remap(at, 4 * PAGE, 8 * PAGE)).toBe(errno.ENOMEM);
    const moved = remap(at, 4 * PAGE, 8 * PAGE, mman.MREMAP_MAYMOVE) as number;
    expect(moved).not.toBe(at);
    expect([h.peek(5, moved + PAGE), h.peek(5, moved + 7 * PAGE), h.peek(5, at)]).toEqual([8, 0, 'maperr']);
    expect(remap(moved, 8 * PAGE, PAGE)).toBe(moved);
    expect(h.peek(5, moved + PAGE)).toBe('maperr');
  });

  it('moves to a fixed place, replacing what is there', () => {
    const at = h.mmap(5, 2 * PAGE) as number;
    const target = h.mmap(5, 4 * PAGE, { protection: 1 }) as number;
    h.poke(5, at, 3);
    expect(remap(at, 2 * PAGE, 3 * PAGE, 3, target)).toBe(target);
    expect([h.peek(5, target), h.poke(5, target + 2 * PAGE, 1), h.poke(5, target + 3 * PAGE, 1)]).toEqual([
      3,
      undefined,
      'accerr',
    ]);
    expect(remap(target, PAGE, PAGE, 3, target)).toBe(errno.EINVAL);
    expect(remap(target, PAGE, PAGE, 3, target + 1)).toBe(errno.EINVAL);
    expect(remap(target, PAGE, PAGE, mman.MREMAP_FIXED, at)).toBe(errno.EINVAL);
  });

  it('leaves an empty mapping behind with DONTUNMAP', () => {
    const at = h.mmap(5, PAGE) as number;
    h.poke(5, at, 3);
    const to = remap(at, PAGE, PAGE, mman.MREMAP_MAYMOVE | mman.MREMAP_DONTUNMAP) as number;
    expect([h.peek(5, to), h.peek(5, at)]).toEqual([3, 0]);
  });

  it('makes a second mapping of shared memory for a length of 0', () => {
    const at = h.mmap(5, 2 * PAGE, { flags: SHARED_ANONYMOUS }) as number;
    const to = remap(at, 0, 2 * PAGE, mman.MREMAP_MAYMOVE) as number;
    h.poke(5, at + PAGE, 4);
    expect(h.peek(5, to + PAGE)).toBe(4);
    h.poke(5, to + PAGE, 5);
    expect(h.peek(5, at + PAGE)).toBe(5);
    const own = h.mmap(5, PAGE) as number;
    expect(remap(own, 0, PAGE, mman.MREMAP_MAYMOVE)).toBe(errno.EINVAL);
  });

  it('refuses what is not one mapping', () => {
    const at = h.mmap(5, PAGE) as number;
    h.mmap(5, PAGE, { protection: 1 });
    expect(remap(at, 2 * PAGE, 3 * PAGE, mman.MREMAP_MAYMOVE)).toBe(errno.EFAULT);
    expect(remap(0x6000_0000_0000, PAGE, 2 * PAGE)).toBe(errno.EFAULT);
    expect(remap(at + 1, PAGE, PAGE)).toBe(errno.EINVAL);
    expect(remap(at, PAGE, 0)).toBe(errno.EINVAL);
    expect(remap(at, PAGE, PAGE, 8)).toBe(errno.EINVAL);
  });
});

describe('madvise, mincore, msync', () => {
  it('drops pages with MADV_DONTNEED', () => {
    const at = h.mmap(5, 2 * PAGE) as number;
    h.poke(5, at, 1);
    h.poke(5, at + PAGE, 2);
    h.ok('madvise', 5, { addr: at, length: PAGE, advice: mman.MADV_DONTNEED });
    expect([h.peek(5, at), h.peek(5, at + PAGE)]).toEqual([0, 2]);
    expect(h.call('madvise', 5, { addr: at, length: PAGE, advice: 77 })).toBe(errno.EINVAL);
    expect(h.call('madvise', 5, { addr: at + 1, length: PAGE, advice: 4 })).toBe(errno.EINVAL);
    expect(h.call('madvise', 5, { addr: at, length: 3 * PAGE, advice: 4 })).toBe(errno.ENOMEM);
    expect(h.peek(5, at + PAGE)).toBe(0);
  });

  it('leaves regions out of a child, or empties them there', () => {
    const out = h.mmap(5, PAGE) as number;
    const wiped = h.mmap(5, PAGE) as number;
    for (const at of [out, wiped]) h.poke(5, at, 1);
    h.ok('madvise', 5, { addr: out, length: PAGE, advice: mman.MADV_DONTFORK });
    h.ok('madvise', 5, { addr: wiped, length: PAGE, advice: mman.MADV_WIPEONFORK });
    h.call('fork', 0, { parent: 5, child: 6, shared: false });
    expect([h.peek(6, out), h.peek(6, wiped), h.peek(5, out), h.peek(5, wiped)]).toEqual(['maperr', 0, 1, 1]);
  });

  it('lets processes use one address space until the last of them leaves it', () => {
    const kept = h.mmap(5, PAGE) as number;
    const gone = h.mmap(5, PAGE) as number;
    h.poke(5, kept, 1);
    h.ok('mlock', 5, { addr: kept, length: PAGE, flags: 0 });
    h.call('fork', 0, { parent: 5, child: 6, shared: true });
    h.call('fork', 0, { parent: 6, child: 7, shared: true });
    h.poke(6, kept, 2);
    const made = h.mmap(7, PAGE) as number;
    h.poke(7, made, 3);
    h.ok('munmap', 6, { addr: gone, length: PAGE });
    expect([h.peek(5, kept), h.peek(5, gone), h.peek(5, made)]).toEqual([2, 'maperr', 3]);
    h.call('exit', 0, { pid: 6 });
    // The owner leaves: another has the rows from then on.
    h.call('exit', 0, { pid: 5 });
    expect(h.m.processes.get(5)).toBeUndefined();
    expect(h.m.processes.get(7)!.lockedBytes).toBe(PAGE);
    expect(h.peek(7, kept)).toBe(2);
    h.ok('munmap', 7, { addr: kept, length: PAGE });
    expect(h.peek(7, kept)).toBe('maperr');
    h.call('exit', 0, { pid: 7 });
    expect(h.m.processes.size).toBe(0);
  });

  it('tells which pages are resident', () => {
    const at = h.mmap(5, 3 * PAGE) as number;
    h.poke(5, at + PAGE, 1);
    const vec = h.grant(3);
    h.ok('mincore', 5, { addr: at, length: 3 * PAGE, vec });
    expect([...h.grants.get(vec.id)!]).toEqual([0, 1, 0]);
    expect(h.call('mincore', 5, { addr: at, length: 4 * PAGE, vec })).toBe(errno.ENOMEM);
    expect(h.call('mincore', 5, { addr: at + 1, length: PAGE, vec })).toBe(errno.EINVAL);
    expect(h.call('mincore', 5, { addr: at, length: PAGE, vec: null })).toBe(errno.EFAULT);
  });

  it('brings pages in with MAP_POPULATE and locks, not with MLOCK_ONFAULT', () => {
    h.start(5, 0);
    const vec = h.grant(4);
    const resident = (at: number) => {
      h.ok('mincore', 5, { addr: at, length: 4 * PAGE, vec });
      return [...h.grants.get(vec.id)!].join('');
    };
    const length = 4 * PAGE;
    expect(resident(h.mmap(5, length, { flags: 0x8022 }) as number)).toBe('1111');
    const at = h.mmap(5, length, { protection: 1 }) as number;
    h.ok('mlock', 5, { addr: at, length: PAGE, flags: mman.MLOCK_ONFAULT });
    h.ok('mlock', 5, { addr: at + 2 * PAGE, length: PAGE, flags: 0 });
    expect(resident(at)).toBe('0010');
    h.ok('mlockall', 5, { flags: mman.MCL_FUTURE | mman.MCL_ONFAULT });
    expect(resident(h.mmap(5, length) as number)).toBe('0000');
    h.ok('mlockall', 5, { flags: mman.MCL_FUTURE });
    expect(resident(h.mmap(5, length) as number)).toBe('1111');
    const guarded = h.mmap(5, length, { protection: 0 }) as number;
    expect(h.call('mlock', 5, { addr: guarded, length: PAGE, flags: 0 })).toBe(errno.ENOMEM);
  });

  it('writes shared files back with MS_SYNC', () => {
    const at = h.mmap(5, 2 * PAGE, { flags: 1, object: 9 }) as number;
    h.ok('msync', 5, { addr: at + PAGE, length: PAGE, flags: mman.MS_SYNC });
    expect(h.kernelCalls).toEqual([`sync 5 ${at + PAGE} ${PAGE}`]);
    expect(h.call('msync', 5, { addr: at, length: PAGE, flags: 5 })).toBe(errno.EINVAL);
    expect(h.call('msync', 5, { addr: at, length: PAGE, flags: 8 })).toBe(errno.EINVAL);
    expect(h.call('msync', 5, { addr: at, length: 3 * PAGE, flags: mman.MS_ASYNC })).toBe(errno.ENOMEM);
  });
});

describe('mlock', () => {
  it('counts what is locked against RLIMIT_MEMLOCK', () => {
    h.limit(5, RLIMIT_MEMLOCK, 2 * PAGE);
    const at = h.mmap(5, 4 * PAGE) as number;
    h.ok('mlock', 5, { addr: at + 5, length: 1, flags: 0 });
    h.ok('mlock', 5, { addr: at, length: 2 * PAGE, flags: 0 });
    expect(h.call('mlock', 5, { addr: at + 2 * PAGE, length: PAGE, flags: 0 })).toBe(errno.ENOMEM);
    expect(h.call('madvise', 5, { addr: at, length: PAGE, advice: 4 })).toBe(errno.EINVAL);
    expect(h.call('msync', 5, { addr: at, length: PAGE, flags: mman.MS_INVALIDATE })).toBe(errno.EBUSY);
    h.ok('munlock', 5, { addr: at, length: PAGE });
    h.ok('mlock', 5, { addr: at + 3 * PAGE, length: PAGE, flags: mman.MLOCK_ONFAULT });
    expect(h.call('mlock', 5, { addr: at, length: PAGE, flags: 2 })).toBe(errno.EINVAL);
    expect(h.mmap(5, 2 * PAGE, { flags: 0x2022 })).toBe(errno.EAGAIN);
    h.limit(5, RLIMIT_MEMLOCK, 0);
    expect(h.call('mlock', 5, { addr: at, length: PAGE, flags: 0 })).toBe(errno.EPERM);
  });

  it('locks and unlocks everything, now and from now on', () => {
    h.mmap(5, PAGE);
    expect(h.call('mlockall', 5, { flags: 0 })).toBe(errno.EINVAL);
    h.ok('mlockall', 5, { flags: mman.MCL_CURRENT | mman.MCL_FUTURE });
    h.mmap(5, PAGE);
    const { virtualBytes, lockedBytes } = h.m.processes.get(5)!;
    expect(lockedBytes).toBe(virtualBytes);
    h.call('fork', 0, { parent: 5, child: 6, shared: false });
    expect(h.m.processes.get(6)!.lockedBytes).toBe(0);
    h.ok('munlockall', 5, {});
    expect(h.m.processes.get(5)!.lockedBytes).toBe(0);
  });
});

describe('the stack', () => {
  it('grows below itself within RLIMIT_STACK and keeps a gap', () => {
    const bottom = STACK_TOP - 0x2_2000;
    expect(h.regions(5).at(-1)).toEqual([bottom, STACK_TOP, 3, '[stack]']);
    expect(h.call('growStack', 0, { pid: 5, address: bottom - 8, pointer: 0 })).toEqual({ grown: 0x1_0000 });
    expect(h.regions(5).at(-1)).toEqual([bottom - 0x1_0000, STACK_TOP, 3, '[stack]']);
    const lowest = STACK_TOP - (8 << 20);
    expect(h.call('growStack', 0, { pid: 5, address: lowest, pointer: 0 })).not.toBeInstanceOf(Errno);
    expect(h.call('growStack', 0, { pid: 5, address: lowest - 1, pointer: 0 })).toBe(errno.EFAULT);
  });

  it('does not grow into a neighbour', () => {
    const below = STACK_TOP - 0x10_0000;
    h.mmap(5, PAGE, { addr: below - 0x10_0000, flags: FIXED });
    expect(h.call('growStack', 0, { pid: 5, address: below - 0x1000, pointer: 0 })).toBe(errno.EFAULT);
    expect(h.call('growStack', 0, { pid: 5, address: below + 0x1000, pointer: 0 })).not.toBeInstanceOf(Errno);
  });
});

describe('System V segments', () => {
  const make = (key = 1, size = 2 * PAGE, mode = 0o600) =>
    h.ok('shmget', 5, { key, size, flags: shm.IPC_CREAT | shm.IPC_EXCL | mode });
  const attached = (id: number) => h.m.segments.get(id % 32768)?.attached;

  it('shares memory between processes and counts attachments over fork and exit', () => {
    const id = make();
    const at = h.ok('shmat', 5, { id, addr: 0, flags: 0 });
    h.poke(5, at + PAGE, 1);
    h.call('fork', 0, { parent: 5, child: 6, shared: false });
    expect(attached(id)).toBe(2);
    h.poke(6, at + PAGE, 2);
    expect(h.peek(5, at + PAGE)).toBe(2);
    h.call('exit', 0, { pid: 6 });
    expect(attached(id)).toBe(1);
    h.ok('shmdt', 5, { addr: at });
    expect(attached(id)).toBe(0);
    // Contents stay while the segment does.
    const again = h.ok('shmat', 5, { id, addr: 0, flags: shm.SHM_RDONLY });
    expect([h.peek(5, again + PAGE), h.poke(5, again, 1)]).toEqual([2, 'accerr']);
  });

  it('destroys a removed segment when the last process lets go', () => {
    const id = make();
    const at = h.ok('shmat', 5, { id, addr: 0, flags: 0 });
    h.poke(5, at, 3);
    h.ok('shmctl', 5, { id, command: shm.IPC_RMID, buf: null });
    expect(h.call('shmget', 5, { key: 1, size: 1, flags: 0 })).toBe(errno.ENOENT);
    expect(h.peek(5, at)).toBe(3);
    expect(h.m.segments.get(0)!.mode & shm.SHM_DEST).toBe(shm.SHM_DEST);
    h.ok('shmdt', 5, { addr: at });
    expect(h.m.segments.size).toBe(0);
    expect(h.machine.usedPages).toBe(0);
    expect(h.call('shmat', 5, { id, addr: 0, flags: 0 })).toBe(errno.EINVAL);
    expect(make(2)).toBe(32768);
  });

  it('detaches the pieces of a segment that was cut', () => {
    const id = make(1, 4 * PAGE);
    const at = h.ok('shmat', 5, { id, addr: 0, flags: 0 });
    h.ok('munmap', 5, { addr: at, length: PAGE });
    h.ok('mprotect', 5, { addr: at + 2 * PAGE, length: PAGE, protection: 1 });
    expect(attached(id)).toBe(3);
    h.ok('shmdt', 5, { addr: at });
    expect(attached(id)).toBe(0);
    expect(h.call('shmdt', 5, { addr: at })).toBe(errno.EINVAL);
    expect(h.call('shmdt', 5, { addr: at + 1 })).toBe(errno.EINVAL);
  });

  it('attaches at an address: rounded, refused when taken, replaced with SHM_REMAP', () => {
    const id = make();
    expect(h.ok('shmat', 5, { id, addr: 0x7123_5000_0010, flags: shm.SHM_RND })).toBe(0x7123_5000_0000);
    expect(h.call('shmat', 5, { id, addr: 0x7123_5000_0010, flags: 0 })).toBe(errno.EINVAL);
    expect(h.call('shmat', 5, { id, addr: 0x7123_5000_1000, flags: 0 })).toBe(errno.EINVAL);
    expect(h.call('shmat', 5, { id, addr: 0, flags: shm.SHM_REMAP })).toBe(errno.EINVAL);
    expect(h.ok('shmat', 5, { id, addr: 0x7123_5000_1000, flags: shm.SHM_REMAP })).toBe(0x7123_5000_1000);
    expect(attached(id)).toBe(2);
  });

  it('checks permissions', () => {
    const id = make(7, PAGE, 0o640);
    h.start(8, 2000);
    h.identities.get(8)!.egid = 1000;
    h.start(9, 3000);
    h.start(10, 0);
    expect(h.ok('shmget', 8, { key: 7, size: 0, flags: 0o440 })).toBe(id);
    expect(h.call('shmget', 8, { key: 7, size: 0, flags: 0o660 })).toBe(errno.EACCES);
    expect(h.call('shmat', 8, { id, addr: 0, flags: 0 })).toBe(errno.EACCES);
    h.ok('shmat', 8, { id, addr: 0, flags: shm.SHM_RDONLY });
    expect(h.call('shmctl', 9, { id, command: shm.IPC_STAT, buf: h.grant(112) })).toBe(errno.EACCES);
    expect(h.call('shmctl', 8, { id, command: shm.IPC_RMID, buf: null })).toBe(errno.EPERM);
    const buf = h.grant(112);
    new DataView(h.grants.get(buf.id)!.buffer).setUint32(20, 0o777, true);
    h.ok('shmctl', 10, { id, command: shm.IPC_SET, buf });
    expect(h.m.segments.get(0)).toMatchObject({ mode: 0o777, uid: 0, gid: 0 });
    h.ok('shmat', 9, { id, addr: 0, flags: 0 });
  });

  it('refuses what shmget and shmctl must refuse', () => {
    make();
    expect(h.call('shmget', 5, { key: 1, size: 1, flags: shm.IPC_CREAT | shm.IPC_EXCL })).toBe(errno.EEXIST);
    expect(h.call('shmget', 5, { key: 1, size: 3 * PAGE, flags: 0 })).toBe(errno.EINVAL);
    expect(h.call('shmget', 5, { key: 2, size: 0, flags: shm.IPC_CREAT })).toBe(errno.EINVAL);
    expect(h.call('shmget', 5, { key: 2, size: 1, flags: 0 })).toBe(errno.ENOENT);
    expect(h.call('shmctl', 5, { id: 99, command: shm.IPC_STAT, buf: null })).toBe(errno.EINVAL);
    expect(h.call('shmctl', 5, { id: 0, command: 99, buf: null })).toBe(errno.EINVAL);
    expect(h.call('shmctl', 5, { id: 0, command: shm.IPC_STAT, buf: null })).toBe(errno.EFAULT);
  });

  it('lists segments', () => {
    make(1);
    make(2, 1);
    const buf = h.grant(112);
    expect(h.ok('shmctl', 5, { id: 0, command: shm.SHM_INFO, buf })).toBe(1);
    const view = new DataView(h.grants.get(buf.id)!.buffer);
    expect([view.getInt32(0, true), view.getBigUint64(8, true)]).toEqual([2, 3n]);
    expect(h.ok('shmctl', 5, { id: 1, command: shm.SHM_STAT, buf })).toBe(1);
    expect(view.getBigUint64(48, true)).toBe(1n);
    expect(h.ok('shmctl', 5, { id: 0, command: shm.IPC_INFO, buf })).toBe(1);
    expect(view.getBigUint64(16, true)).toBe(4096n);
  });
});
