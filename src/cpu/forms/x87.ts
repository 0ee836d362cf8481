/** Instruction forms of the x87 group (SDM Vol. 2). */
import type { Form } from '../forms.ts';

export const forms: readonly Form[] = [];
