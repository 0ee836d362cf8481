/** Small turns of phrase for handlers. */
import { Errno } from '../../abi/errno.ts';
import { type Outcome, Wait } from '../../ipc/server.ts';

/** A number, an error or a wait as the outcome of a call whose reply is `result`. */
export const asResult = (value: Outcome<number>): Outcome<{ readonly result: number }> =>
  value instanceof Errno || value instanceof Wait ? value : { result: value };

/** The reply of calls that only succeed or fail. */
export const done: { readonly result: number } = { result: 0 };

export const nothing: Readonly<Record<string, never>> = {};
