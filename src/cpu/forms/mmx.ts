/** Instruction forms of the mmx group (SDM Vol. 2). */
import type { Form } from '../forms.ts';

export const forms: readonly Form[] = [];
