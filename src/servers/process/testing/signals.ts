/** Short forms of signal calls for tests. */
import { encodeSigAction, encodeSigset, SIG_BLOCK, SIG_IGN, SIG_UNBLOCK, setOf } from '../../../abi/signals.ts';
import type { Machine } from './machine.ts';

export const HANDLER = 0x40_1000;

export const catchSignal = (
  machine: Machine,
  pid: number,
  signal: number,
  { flags = 0, mask = 0n, handler = HANDLER }: { flags?: number; mask?: bigint; handler?: number } = {},
): number => {
  const action = machine.grant(encodeSigAction({ signal, handler, flags, restorer: 0x40_2000, mask }));
  return machine.result(pid, 'sigaction', { signal, action, old: null, setSize: 8 });
};

export const ignoreSignal = (machine: Machine, pid: number, signal: number): number =>
  catchSignal(machine, pid, signal, { handler: SIG_IGN });

export const setMask = (machine: Machine, pid: number, how: number, ...signals: number[]): number =>
  machine.result(pid, 'sigprocmask', {
    how,
    set: machine.grant(encodeSigset(setOf(...signals))),
    old: null,
    setSize: 8,
  });

export const block = (machine: Machine, pid: number, ...signals: number[]): number =>
  setMask(machine, pid, SIG_BLOCK, ...signals);

export const unblock = (machine: Machine, pid: number, ...signals: number[]): number =>
  setMask(machine, pid, SIG_UNBLOCK, ...signals);

export const pendingOf = (machine: Machine, pid: number): bigint => {
  const set = machine.grant(8);
  machine.result(pid, 'sigpending', { set, setSize: 8 });
  return new DataView(set.bytes.buffer).getBigUint64(0, true);
};
