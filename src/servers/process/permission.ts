/** Who may do what: capabilities, and the rule of kill(2). */
import { CAP_KILL, capabilityBit } from '../../abi/credentials.ts';
import { SIGCONT } from '../../abi/signals.ts';
import type { ProcessControlBlock } from './rows.ts';

export const capable = (process: Readonly<ProcessControlBlock>, capability: number): boolean =>
  (process.capabilities.effective & capabilityBit(capability)) !== 0n;

/** kill(2): the sender's real or effective user is the target's real or saved one; SIGCONT goes anywhere in the session. */
export const mayKill = (
  sender: Readonly<ProcessControlBlock>,
  target: Readonly<ProcessControlBlock>,
  signal: number,
): boolean =>
  sender.pid === target.pid ||
  sender.euid === target.suid ||
  sender.euid === target.uid ||
  sender.uid === target.suid ||
  sender.uid === target.uid ||
  capable(sender, CAP_KILL) ||
  (signal === SIGCONT && sender.sid === target.sid);
