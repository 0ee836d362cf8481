/**
 * Layout of one process's window: a `WebAssembly.Memory` of 4 GiB (DESIGN §3).
 *
 *     0x0000_0000 ─ 0xfdff_ffff   guest pages: the page at 64-bit address v lives at linear offset v mod 2^32
 *     0xfe00_0000 ─ 0xfeff_ffff   decode cache of the interpreter
 *     0xff00_0000 ─ 0xff3f_ffff   read tags    i32[0x100000]
 *     0xff40_0000 ─ 0xff7f_ffff   write tags   i32[0x100000]
 *     0xff80_0000 ─ 0xffbf_ffff   execute tags i32[0x100000]
 *     0xffc0_0000 ─ 0xffff_ffff   state block of the running thread, scratch, lookup tables of the engine
 *
 * A tag at index `(v >>> 12) & 0xfffff` holds the complement of the upper 32 bits of the page's address while that access
 * is allowed and 0 while it is not. An access to v is allowed when `tag ^ (v >>> 32) == -1`, computed with 64 bits from the
 * sign-extended tag: user addresses end below 2^47, so a valid tag is negative, and 0 matches no address (with 32 bits it
 * would match those whose upper half is all ones).
 */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;
export const WINDOW_SIZE = 0x1_0000_0000;
/** First linear offset that no guest page may take. */
export const GUEST_LIMIT = 0xfe00_0000;
export const DECODE_CACHE = 0xfe00_0000;
export const DECODE_CACHE_SIZE = 0x0100_0000;
export const READ_TAGS = 0xff00_0000;
export const WRITE_TAGS = 0xff40_0000;
export const EXECUTE_TAGS = 0xff80_0000;
/** The running thread's state block (see cpu/state.ts), followed by the engine's scratch and tables. */
export const STATE = 0xffc0_0000;

/** First address past user space: addresses at or above it are not canonical user addresses. */
export const USER_LIMIT = 0x7fff_ffff_f000;
/** Heap of the reference: brk starts here (plus randomisation, once there is any) and may not pass HEAP_MAX. */
export const HEAP_START = 0x1000_0000;
export const HEAP_MAX = 0x4000_0000;
/** Position-independent programs: slots below the heap's; their heap follows them, up to the slot HEAP_MAX. */
export const PIE_BASE = 0x5555_0040_0000;
/** mmap and stack region; addresses handed out have their low 32 bits inside [MMAP_LOW, MMAP_HIGH). */
export const MMAP_START = 0x7000_0000_0000;
export const MMAP_END = 0x7fff_ffff_f000;
export const MMAP_LOW = 0x4000_0000;
export const MMAP_HIGH = 0xfe00_0000;
/** Where the mappings of a program start, unless its addresses are random. */
export const ZONE_START = MMAP_START + MMAP_LOW;

/** First address past the stack, and past the vDSO above it: its slots end where the guest's do. */
export const STACK_TOP = 0x7fff_fe00_0000;

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;
