/** All instruction forms, group by group. Order matters only for what the disassembler prefers among synonyms. */
import type { Form } from '../forms.ts';
import { forms as mmx } from './mmx.ts';
import { forms as sse } from './sse.ts';
import { forms as x87 } from './x87.ts';

export const FORMS: readonly Form[] = [...x87, ...mmx, ...sse];
