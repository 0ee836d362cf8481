/** Instruction forms of the sse group (SDM Vol. 2). */
import type { Form } from '../forms.ts';

export const forms: readonly Form[] = [];
