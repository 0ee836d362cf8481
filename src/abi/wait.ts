/**
 * wait4(2) and waitid(2): options, and the status word.
 *
 *     exited    | code << 8              killed     | signal, and CORE_DUMPED
 *     stopped   | signal << 8 | 0x7f     continued  | 0xffff
 */

export const WNOHANG = 0x1;
export const WUNTRACED = 0x2;
export const WSTOPPED = 0x2;
export const WEXITED = 0x4;
export const WCONTINUED = 0x8;
export const WNOWAIT = 0x0100_0000;
export const __WNOTHREAD = 0x2000_0000;
export const __WALL = 0x4000_0000;
export const __WCLONE = 0x8000_0000 | 0;

export const P_ALL = 0;
export const P_PID = 1;
export const P_PGID = 2;
export const P_PIDFD = 3;

export const exitedStatus = (code: number): number => (code & 0xff) << 8;
export const killedStatus = (signal: number): number => signal & 0x7f;
/** Bit of a status with a signal: there is a core file. */
export const CORE_DUMPED = 0x80;
export const stoppedStatus = (signal: number): number => (signal << 8) | 0x7f;
export const CONTINUED_STATUS = 0xffff;

/** The signal that ended the process, 0 if it exited. */
export const terminationSignal = (status: number): number => status & 0x7f;
export const exitCode = (status: number): number => (status >> 8) & 0xff;
