/** Types of the auxiliary vector (getauxval(3), include/uapi/linux/auxvec.h) and values that are fixed on x86-64. */
export const AT_NULL = 0;
export const AT_PHDR = 3;
export const AT_PHENT = 4;
export const AT_PHNUM = 5;
export const AT_PAGESZ = 6;
export const AT_BASE = 7;
export const AT_FLAGS = 8;
export const AT_ENTRY = 9;
export const AT_UID = 11;
export const AT_EUID = 12;
export const AT_GID = 13;
export const AT_EGID = 14;
export const AT_PLATFORM = 15;
/** CPUID leaf 1, EDX. */
export const AT_HWCAP = 16;
export const AT_CLKTCK = 17;
export const AT_SECURE = 23;
/** Address of 16 random bytes. */
export const AT_RANDOM = 25;
export const AT_HWCAP2 = 26;
export const AT_EXECFN = 31;
/** The vDSO's ELF image. */
export const AT_SYSINFO_EHDR = 33;
export const AT_MINSIGSTKSZ = 51;

export const PLATFORM = 'x86_64';
/** Clock ticks a second, as times(2) counts. */
export const CLOCK_TICKS = 100;
/** Frame with FXSAVE image, alignment and red zone. */
export const MINIMUM_SIGNAL_STACK = 1200;
