/** Helpers that the x87 forms call by name (see cpu/helpers.ts). */
import type { Helper } from '../helpers.ts';

export const helpers: Helper[] = [];
