/** Which ends of a pipe an open mode has: O_RDWR, which Linux permits for FIFOs, has both. */
import { O_ACCMODE, O_RDONLY, O_RDWR, O_WRONLY } from '../../../abi/fcntl.ts';

export const canReadPipe = (flags: number): boolean =>
  (flags & O_ACCMODE) === O_RDONLY || (flags & O_ACCMODE) === O_RDWR;

export const canWritePipe = (flags: number): boolean =>
  (flags & O_ACCMODE) === O_WRONLY || (flags & O_ACCMODE) === O_RDWR;
