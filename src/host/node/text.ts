/** Byte strings, one char a byte, as the guest's names are; and text of JavaScript, which is UTF-8 outside. */
import { Errno } from '../../abi/errno.ts';

/** A JavaScript string as UTF-8 in a byte string. */
export const toBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** A byte string shown as text. */
export const fromBytes = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

/** An error of the guest system as Node.js shows such errors: `code`, `errno`, `syscall`, `path`. */
export class XinimError extends Error {
  readonly code: string;
  readonly errno: number;

  constructor(
    errno: Errno,
    readonly syscall: string,
    readonly path?: string,
  ) {
    super(`${errno.name}: ${errno.text}, ${syscall}${path === undefined ? '' : ` '${path}'`}`);
    this.name = 'XinimError';
    this.code = errno.name;
    this.errno = -errno.number;
  }
}

/** The value, or the error thrown. */
export const unwrap = <T>(result: T | Errno, syscall: string, path?: string): T => {
  if (result instanceof Errno) throw new XinimError(result, syscall, path);
  return result;
};
