/** A file of the host that is only read, at any position: what images are kept in. `src/host/node` implements it. */
import type { Result } from '../../abi/errno.ts';

export interface HostFile {
  /** For messages. */
  readonly name: string;
  /** Size when it was opened. */
  readonly size: number;
  /** pread(2): fills as much of `into` as there is; 0 at the end. */
  read(offset: number, into: Uint8Array): Result<number>;
}
