/** Features that CPUID leaf 1 reports (SDM Vol. 2A, CPUID): just what the forms implement, x86-64-v2. AT_HWCAP is the same EDX. */

/** A word with these bits set. */
export const bits = (...numbers: number[]): number => numbers.reduce((all, n) => all | (1 << n), 0);

/** SSE3, SSSE3, CX16, SSE4.1, SSE4.2, POPCNT. */
export const FEATURES_ECX = bits(0, 9, 13, 19, 20, 23);
/** FPU, TSC, CX8, CMOV, CLFSH, MMX, FXSR, SSE, SSE2. */
export const FEATURES_EDX = bits(0, 4, 8, 15, 19, 23, 24, 25, 26);
