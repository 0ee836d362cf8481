/** siginfo_t as strace prints it (layout: abi/signals.ts). */
import {
  CLD_CONTINUED,
  CLD_DUMPED,
  CLD_EXITED,
  CLD_KILLED,
  CLD_STOPPED,
  SI_KERNEL,
  SI_QUEUE,
  SI_TIMER,
  SI_TKILL,
  SI_USER,
  SIGBUS,
  SIGCHLD,
  SIGFPE,
  SIGILL,
  SIGSEGV,
  signalName,
} from '../abi/signals.ts';

const GENERAL: Readonly<Record<number, string>> = {
  [SI_USER]: 'SI_USER',
  [SI_KERNEL]: 'SI_KERNEL',
  [SI_QUEUE]: 'SI_QUEUE',
  [SI_TIMER]: 'SI_TIMER',
  [SI_TKILL]: 'SI_TKILL',
};

const CHILD: Readonly<Record<number, string>> = {
  [CLD_EXITED]: 'CLD_EXITED',
  [CLD_KILLED]: 'CLD_KILLED',
  [CLD_DUMPED]: 'CLD_DUMPED',
  [CLD_STOPPED]: 'CLD_STOPPED',
  [CLD_CONTINUED]: 'CLD_CONTINUED',
};

const FAULTS: Readonly<Record<number, readonly string[]>> = {
  [SIGILL]: ['', 'ILL_ILLOPC', 'ILL_ILLOPN'],
  [SIGFPE]: ['', 'FPE_INTDIV', 'FPE_INTOVF', 'FPE_FLTDIV', 'FPE_FLTOVF', 'FPE_FLTUND', 'FPE_FLTRES', 'FPE_FLTINV'],
  [SIGSEGV]: ['', 'SEGV_MAPERR', 'SEGV_ACCERR'],
  [SIGBUS]: ['', 'BUS_ADRALN', 'BUS_ADRERR'],
};

/** `{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=6, …}`. */
export const describeSignal = (info: Uint8Array): string => {
  const view = new DataView(info.buffer, info.byteOffset, info.byteLength);
  const signal = view.getInt32(0, true);
  const code = view.getInt32(8, true);
  const fault = FAULTS[signal]?.[code];
  const name = fault ?? (signal === SIGCHLD ? CHILD[code] : undefined) ?? GENERAL[code] ?? String(code);
  const shown = [`si_signo=${signalName(signal)}`, `si_code=${name}`];
  if (fault !== undefined) {
    const address = view.getBigUint64(16, true);
    shown.push(`si_addr=${address === 0n ? 'NULL' : `0x${address.toString(16)}`}`);
  } else if (code !== SI_KERNEL) {
    shown.push(`si_pid=${view.getInt32(16, true)}`, `si_uid=${view.getUint32(20, true)}`);
    if (signal === SIGCHLD && code > 0) {
      const status = view.getInt32(24, true);
      shown.push(`si_status=${code === CLD_EXITED ? status : signalName(status)}`);
    }
  }
  return `{${shown.join(', ')}}`;
};
