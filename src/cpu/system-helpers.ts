/** Helpers of the integer instruction set: CPUID and RDTSC. */
import type { Helper } from './helpers.ts';

export const helpers: Helper[] = [];
