/** Instruction forms of SSE to SSE4.2 on XMM registers (SDM Vol. 2). */
import type { Form } from '../forms.ts';
import { forms as convert } from './sse-convert.ts';
import { forms as float } from './sse-float.ts';
import { forms as integer } from './sse-integer.ts';
import { forms as move } from './sse-move.ts';
import { forms as permute } from './sse-permute.ts';
import { forms as state } from './sse-state.ts';
import { forms as string } from './sse-string.ts';

export const forms: readonly Form[] = [...move, ...integer, ...permute, ...float, ...convert, ...string, ...state];
