/** All instruction forms, group by group. Order matters only for what the disassembler prefers among synonyms. */
import type { Form } from '../forms.ts';
import { forms as arithmetic } from './arithmetic.ts';
import { forms as atomic } from './atomic.ts';
import { forms as bits } from './bits.ts';
import { forms as control } from './control.ts';
import { forms as mmx } from './mmx.ts';
import { forms as moves } from './moves.ts';
import { forms as shifts } from './shifts.ts';
import { forms as sse } from './sse.ts';
import { forms as stack } from './stack.ts';
import { forms as strings } from './strings.ts';
import { forms as system } from './system.ts';
import { forms as x87 } from './x87.ts';

export const FORMS: readonly Form[] = [
  ...arithmetic,
  ...moves,
  ...shifts,
  ...bits,
  ...control,
  ...stack,
  ...strings,
  ...atomic,
  ...system,
  ...x87,
  ...mmx,
  ...sse,
];
