import { describe, expect, it } from 'vitest';
import { EAGAIN, EINTR } from '../../../abi/errno.ts';
import * as sig from '../../../abi/signals.ts';
import { Machine, type Sleeper } from '../testing/machine.ts';
import { block, catchSignal, HANDLER, ignoreSignal, pendingOf, setMask, unblock } from '../testing/signals.ts';

const lone = (uid = 0) => {
  const machine = new Machine();
  const pid = machine.spawn(uid);
  return { machine, pid };
};

const kill = (machine: Machine, pid: number, signal: number, from = pid): number =>
  machine.result(from, 'kill', { pid, signal });

const int = (bytes: Uint8Array, offset: number): number => new DataView(bytes.buffer).getInt32(offset, true);

/** signal(7), "Standard signals": what each does by default. */
const DEFAULTS: readonly [number, 'dies' | 'nothing' | 'stops'][] = Array.from({ length: 64 }, (_, index) => {
  const signal = index + 1;
  if ([17, 18, 23, 28].includes(signal)) return [signal, 'nothing'];
  return [signal, [19, 20, 21, 22].includes(signal) ? 'stops' : 'dies'];
});

describe('signals', () => {
  it('test_signal_delivery', () => {
    const { machine, pid } = lone(1000);
    expect(catchSignal(machine, pid, sig.SIGUSR1)).toBe(0);
    block(machine, pid, sig.SIGUSR1);
    expect(kill(machine, pid, sig.SIGUSR1)).toBe(0);
    // Blocked: pending, and visible as such.
    expect(machine.table.getProcess(pid)?.sigPending).toBe(sig.bit(sig.SIGUSR1));
    expect(pendingOf(machine, pid)).toBe(sig.bit(sig.SIGUSR1));
    expect(machine.identities.get(pid)).toMatchObject({ pending: 1n << 9n, blocked: 1n << 9n, caught: 1n << 9n });
    expect(machine.frames).toEqual([]);
    unblock(machine, pid, sig.SIGUSR1);
    expect(machine.frames).toHaveLength(1);
    const { frame } = machine.frames[0];
    expect(frame).toMatchObject({ signal: sig.SIGUSR1, handler: HANDLER, restorer: 0x40_2000, savedMask: 0n });
    expect([int(frame.info, 0), int(frame.info, 8), int(frame.info, 16), int(frame.info, 20)]).toEqual([
      10,
      0,
      pid,
      1000,
    ]);
    expect(frame.info).toHaveLength(128);
    expect(pendingOf(machine, pid)).toBe(0n);
  });

  it.each(DEFAULTS)('signal %i: %s by default', (signal, effect) => {
    const machine = new Machine();
    const shell = machine.spawn();
    const pid = machine.fork(shell);
    machine.result(pid, 'setpgid', { pid: 0, pgid: 0 });
    kill(machine, pid, signal, shell);
    expect(machine.state(pid)).toBe({ dies: 'ZOMBIE', nothing: 'RUNNING', stops: 'STOPPED' }[effect]);
    const process = machine.table.getProcess(pid);
    if (effect !== 'nothing') expect(process?.exitCode).toBe(signal);
    expect(process?.sigPending).toBe(0n);
  });

  it.each(DEFAULTS.filter(([signal]) => signal !== sig.SIGKILL && signal !== sig.SIGSTOP))(
    'signal %i has no effect when ignored, and runs its handler when caught',
    (signal) => {
      const { machine, pid } = lone();
      ignoreSignal(machine, pid, signal);
      kill(machine, pid, signal);
      expect(machine.state(pid)).toBe('RUNNING');
      expect(pendingOf(machine, pid)).toBe(0n);
      catchSignal(machine, pid, signal);
      kill(machine, pid, signal);
      expect(machine.state(pid)).toBe('RUNNING');
      expect(machine.frames.map(({ frame }) => frame.signal)).toEqual([signal]);
    },
  );

  it.each([sig.SIGKILL, sig.SIGSTOP])('signal %i can be neither caught, ignored nor blocked', (signal) => {
    const { machine, pid } = lone();
    expect(catchSignal(machine, pid, signal)).toBe(-22);
    expect(ignoreSignal(machine, pid, signal)).toBe(-22);
    expect(machine.result(pid, 'sigaction', { signal, action: null, old: machine.grant(32), setSize: 8 })).toBe(0);
    block(machine, pid, signal, sig.SIGINT);
    expect(machine.table.threads.get(pid)?.sigMask).toBe(sig.bit(sig.SIGINT));
    kill(machine, pid, signal);
    expect(machine.state(pid)).not.toBe('RUNNING');
  });

  it('tells the action before, with its flags and mask', () => {
    const { machine, pid } = lone();
    const mask = sig.setOf(sig.SIGINT, sig.SIGKILL, 64);
    catchSignal(machine, pid, sig.SIGTERM, { flags: sig.SA_RESTART | 0x400, mask });
    const old = machine.grant(32);
    machine.result(pid, 'sigaction', { signal: sig.SIGTERM, action: null, old, setSize: 8 });
    // SIGKILL is taken out of the mask, a flag that does not exist out of the flags.
    expect(sig.decodeSigAction(sig.SIGTERM, old.bytes)).toEqual({
      signal: sig.SIGTERM,
      handler: HANDLER,
      flags: sig.SA_RESTART,
      restorer: 0x40_2000,
      mask: sig.setOf(sig.SIGINT, 64),
    });
    expect(machine.result(pid, 'sigaction', { signal: 65, action: null, old: null, setSize: 8 })).toBe(-22);
    expect(machine.result(pid, 'sigaction', { signal: 1, action: null, old: null, setSize: 4 })).toBe(-22);
    expect(machine.result(pid, 'sigaction', { signal: 1, action: machine.badGrant(32), old: null, setSize: 8 })).toBe(
      -14,
    );
  });

  it('queues real-time signals with their values, standard ones not', () => {
    const { machine, pid } = lone();
    for (const signal of [sig.SIGUSR1, 34, 35]) catchSignal(machine, pid, signal);
    block(machine, pid, sig.SIGUSR1, 34, 35);
    const queue = (signal: number, value: bigint): number => {
      const info = machine.grant(128);
      const view = new DataView(info.bytes.buffer);
      view.setInt32(8, sig.SI_QUEUE, true);
      view.setBigUint64(24, value, true);
      return machine.result(pid, 'sigqueue', { tgid: pid, signal, info });
    };
    for (const [signal, value] of [
      [35, 1n],
      [34, 2n],
      [34, 3n],
      [sig.SIGUSR1, 4n],
      [sig.SIGUSR1, 5n],
    ] as const)
      expect(queue(signal, value)).toBe(0);
    setMask(machine, pid, sig.SIG_SETMASK);
    const seen = machine.frames.map(({ frame }) => [
      frame.signal,
      new DataView(frame.info.buffer).getBigUint64(24, true),
    ]);
    expect(seen).toEqual([
      [sig.SIGUSR1, 4n],
      [34, 2n],
      [35, 1n],
    ]);
    // The second 34 waits until the first one's handler returns.
    machine.kernel('signalReturn', { pid, tid: pid, mask: 0n });
    expect(machine.frames.at(-1)?.frame.signal).toBe(34);
  });

  it('holds RLIMIT_SIGPENDING against queued values, not against kill', () => {
    const { machine, pid } = lone(1000);
    const limit = machine.grant(new Uint8Array(new BigUint64Array([2n, 2n]).buffer));
    machine.result(pid, 'prlimit', { pid: 0, resource: 11, limit, old: null, needed: 1 });
    block(machine, pid, 40);
    const info = machine.grant(128);
    new DataView(info.bytes.buffer).setInt32(8, sig.SI_QUEUE, true);
    const queue = () => machine.call(pid, 'sigqueue', { tgid: pid, signal: 40, info });
    expect([queue(), queue(), queue()]).toEqual([{ result: 0 }, { result: 0 }, EAGAIN]);
    expect(kill(machine, pid, 40)).toBe(0);
    expect(machine.table.users.get(1000)?.signals).toBe(2);
    machine.kernel('killHost', { target: pid, signal: sig.SIGKILL });
    expect(machine.table.users.get(1000)?.signals).toBe(0);
  });

  it('stacks frames: each saves the mask under which it came', () => {
    const { machine, pid } = lone();
    catchSignal(machine, pid, sig.SIGUSR1, { mask: sig.bit(sig.SIGINT) });
    catchSignal(machine, pid, sig.SIGUSR2, { flags: sig.SA_NODEFER });
    kill(machine, pid, sig.SIGUSR1);
    kill(machine, pid, sig.SIGUSR2);
    kill(machine, pid, sig.SIGUSR2);
    const inFirst = sig.setOf(sig.SIGUSR1, sig.SIGINT);
    expect(machine.frames.map(({ frame }) => [frame.signal, frame.savedMask])).toEqual([
      [sig.SIGUSR1, 0n],
      [sig.SIGUSR2, inFirst],
      [sig.SIGUSR2, inFirst],
    ]);
    kill(machine, pid, sig.SIGUSR1);
    expect(machine.frames).toHaveLength(3);
    machine.kernel('signalReturn', { pid, tid: pid, mask: 0n });
    expect(machine.frames).toHaveLength(4);
  });

  it('goes back to the default after SA_RESETHAND', () => {
    const { machine, pid } = lone();
    catchSignal(machine, pid, sig.SIGINT, { flags: sig.SA_RESETHAND | sig.SA_NODEFER });
    kill(machine, pid, sig.SIGINT);
    expect(machine.state(pid)).toBe('RUNNING');
    kill(machine, pid, sig.SIGINT);
    expect(machine.state(pid)).toBe('ZOMBIE');
  });

  it('drops a pending signal when it comes to be ignored', () => {
    const { machine, pid } = lone();
    block(machine, pid, sig.SIGINT, sig.SIGCHLD);
    kill(machine, pid, sig.SIGINT);
    kill(machine, pid, sig.SIGCHLD);
    expect(pendingOf(machine, pid)).toBe(sig.setOf(sig.SIGINT, sig.SIGCHLD));
    ignoreSignal(machine, pid, sig.SIGINT);
    catchSignal(machine, pid, sig.SIGCHLD, { handler: sig.SIG_DFL });
    expect(pendingOf(machine, pid)).toBe(0n);
  });

  it('execve resets handlers, keeps ignored and pending signals and the mask', () => {
    const { machine, pid } = lone();
    catchSignal(machine, pid, sig.SIGINT);
    ignoreSignal(machine, pid, sig.SIGQUIT);
    block(machine, pid, sig.SIGTERM);
    kill(machine, pid, sig.SIGTERM);
    machine.kernel('execCommit', {
      pid,
      tid: pid,
      name: 'a-name-of-more-than-15-bytes',
      setuid: -1,
      setgid: -1,
      readable: true,
    });
    expect(machine.identities.get(pid)).toMatchObject({ name: 'a-name-of-more-', caught: 0n, ignored: 1n << 2n });
    expect(pendingOf(machine, pid)).toBe(sig.bit(sig.SIGTERM));
    kill(machine, pid, sig.SIGQUIT);
    expect(machine.state(pid)).toBe('RUNNING');
    kill(machine, pid, sig.SIGINT);
    expect(machine.state(pid)).toBe('ZOMBIE');
  });

  it('fork gives actions and mask, not what is pending', () => {
    const { machine, pid } = lone();
    catchSignal(machine, pid, sig.SIGINT);
    block(machine, pid, sig.SIGTERM);
    kill(machine, pid, sig.SIGTERM);
    const child = machine.fork(pid);
    expect(machine.table.threads.get(child)?.sigMask).toBe(sig.bit(sig.SIGTERM));
    expect(pendingOf(machine, child)).toBe(0n);
    kill(machine, child, sig.SIGINT);
    expect(machine.frames.at(-1)).toMatchObject({ pid: child, frame: { signal: sig.SIGINT } });
  });
});

describe('stop and continue', () => {
  const job = () => {
    const machine = new Machine();
    const shell = machine.spawn();
    const pid = machine.fork(shell);
    machine.result(pid, 'setpgid', { pid: 0, pgid: 0 });
    return { machine, shell, pid };
  };

  it('keeps signals for a stopped process until it continues, but SIGKILL', () => {
    const { machine, shell, pid } = job();
    catchSignal(machine, pid, sig.SIGUSR1);
    kill(machine, pid, sig.SIGSTOP, shell);
    expect(machine.identities.get(pid)?.state).toBe('T');
    expect(machine.calls).toContain(`stopProcess(${pid})`);
    kill(machine, pid, sig.SIGUSR1, shell);
    kill(machine, pid, sig.SIGTERM, shell);
    expect(machine.state(pid)).toBe('STOPPED');
    expect(machine.frames).toEqual([]);
    kill(machine, pid, sig.SIGCONT, shell);
    expect(machine.calls).toContain(`continueProcess(${pid})`);
    expect(machine.frames.map(({ frame }) => frame.signal)).toEqual([sig.SIGUSR1]);
    expect(machine.state(pid)).toBe('ZOMBIE');
    const second = machine.fork(shell);
    kill(machine, second, sig.SIGSTOP, shell);
    kill(machine, second, sig.SIGKILL, shell);
    expect(machine.state(second)).toBe('ZOMBIE');
  });

  it.each([
    ['blocked', (machine: Machine, pid: number) => block(machine, pid, sig.SIGCONT)],
    ['ignored', (machine: Machine, pid: number) => ignoreSignal(machine, pid, sig.SIGCONT)],
  ])('SIGCONT continues even when %s', (_, prepare) => {
    const { machine, shell, pid } = job();
    prepare(machine, pid);
    kill(machine, pid, sig.SIGSTOP, shell);
    kill(machine, pid, sig.SIGCONT, shell);
    expect(machine.state(pid)).toBe('RUNNING');
  });

  it('a stop signal drops a pending SIGCONT and the reverse', () => {
    const { machine, shell, pid } = job();
    catchSignal(machine, pid, sig.SIGCONT);
    block(machine, pid, sig.SIGCONT, sig.SIGTSTP);
    kill(machine, pid, sig.SIGCONT, shell);
    kill(machine, pid, sig.SIGTSTP, shell);
    expect(pendingOf(machine, pid)).toBe(sig.bit(sig.SIGTSTP));
    kill(machine, pid, sig.SIGCONT, shell);
    expect(pendingOf(machine, pid)).toBe(sig.bit(sig.SIGCONT));
  });

  it('tells the parent, unless it asked for no news of stops', () => {
    const { machine, shell, pid } = job();
    catchSignal(machine, shell, sig.SIGCHLD, { flags: sig.SA_NODEFER });
    kill(machine, pid, sig.SIGSTOP, shell);
    kill(machine, pid, sig.SIGCONT, shell);
    const codes = machine.frames.map(({ frame }) => [int(frame.info, 8), int(frame.info, 16), int(frame.info, 24)]);
    expect(codes).toEqual([
      [sig.CLD_STOPPED, pid, sig.SIGSTOP],
      [sig.CLD_CONTINUED, pid, sig.SIGCONT],
    ]);
    catchSignal(machine, shell, sig.SIGCHLD, { flags: sig.SA_NOCLDSTOP });
    kill(machine, pid, sig.SIGSTOP, shell);
    expect(machine.frames).toHaveLength(2);
  });

  it('interrupts the sleeping call, so that it takes nothing meanwhile', () => {
    const { machine, shell, pid } = job();
    const sleeper = machine.call(pid, 'pause', {}) as Sleeper;
    kill(machine, pid, sig.SIGTSTP, shell);
    expect(machine.calls.slice(-2)).toEqual([`interrupt(${pid}, ${pid})`, `stopProcess(${pid})`]);
    expect(sleeper.outcome).toBe(EINTR);
  });
});

describe('kill', () => {
  const two = (from: number, to: number) => {
    const machine = new Machine();
    return { machine, sender: machine.spawn(from), target: machine.spawn(to) };
  };

  it.each([
    [0, 1000, 0],
    [1000, 1000, 0],
    [1000, 1001, -1],
    [1000, 0, -1],
  ])('from user %i to user %i: %i', (from, to, result) => {
    const { machine, sender, target } = two(from, to);
    expect(kill(machine, target, 0, sender)).toBe(result);
    expect(kill(machine, target, sig.SIGTERM, sender)).toBe(result);
    expect(machine.state(target)).toBe(result === 0 ? 'ZOMBIE' : 'RUNNING');
  });

  it('looks at the saved id of the target and the real one of the sender', () => {
    const { machine, sender, target } = two(1000, 0);
    machine.result(target, 'setresuid', { ruid: 5, euid: 6, suid: 1000 });
    expect(kill(machine, target, 0, sender)).toBe(0);
    machine.result(target, 'setresuid', { ruid: 5, euid: 1000, suid: 6 });
    const other = machine.spawn(0);
    machine.result(other, 'setresuid', { ruid: 7, euid: 8, suid: 0 });
    // The other's real user, 7, is the saved one here; then its effective user, 8.
    const third = machine.spawn(0);
    machine.result(third, 'setresuid', { ruid: 5, euid: 0, suid: 7 });
    expect(kill(machine, third, 0, other)).toBe(0);
    machine.result(third, 'setresuid', { ruid: 5, euid: 0, suid: 8 });
    expect(kill(machine, third, 0, other)).toBe(0);
    machine.result(third, 'setresuid', { ruid: 5, euid: 0, suid: 9 });
    expect(kill(machine, third, 0, other)).toBe(-1);
    // Now only the effective id is the sender's, and that does not count.
    expect(kill(machine, target, 0, sender)).toBe(-1);
  });

  it('lets SIGCONT through within the session', () => {
    const { machine, target: shell } = two(0, 0);
    const child = machine.fork(shell);
    machine.result(child, 'setuid', { uid: 1000 });
    expect(kill(machine, shell, sig.SIGTERM, child)).toBe(-1);
    expect(kill(machine, shell, sig.SIGCONT, child)).toBe(0);
    machine.result(child, 'setsid', {});
    expect(kill(machine, shell, sig.SIGCONT, child)).toBe(-1);
  });

  it.each([
    [99, 15, -3],
    [99, 65, -3],
    [5, 65, -22],
    [5, -1, -22],
    [-99, 15, -3],
    [-99, 65, -3],
    [-0x8000_0000, 15, -3],
    [1, 15, 0],
    [1, 9, 0],
    [3, 9, 0],
  ])('kill(%i, %i) by root is %i', (pid, signal, result) => {
    const { machine, pid: sender } = lone();
    expect(kill(machine, pid, signal, sender)).toBe(result);
    expect([machine.state(1), machine.state(3)]).toEqual(['RUNNING', 'RUNNING']);
  });

  it('reaches init only through a handler, but the host always', () => {
    const { machine, pid } = lone();
    catchSignal(machine, 1, sig.SIGTERM);
    kill(machine, 1, sig.SIGTERM, pid);
    expect(machine.frames).toHaveLength(1);
    machine.kernel('killHost', { target: 1, signal: sig.SIGKILL });
    expect(machine.state(1)).toBe('ZOMBIE');
  });

  it('goes to a group, and to all but init and itself', () => {
    const { machine, pid } = lone();
    const child = machine.fork(pid);
    const job = machine.fork(pid);
    machine.result(job, 'setpgid', { pid: 0, pgid: 0 });
    const stranger = machine.spawn(1000);
    catchSignal(machine, pid, sig.SIGTERM);
    expect(kill(machine, 0, sig.SIGTERM, child)).toBe(0);
    expect([machine.state(pid), machine.state(child), machine.state(job)]).toEqual(['RUNNING', 'ZOMBIE', 'RUNNING']);
    expect(kill(machine, -job, sig.SIGTERM, pid)).toBe(0);
    expect(machine.state(job)).toBe('ZOMBIE');
    expect(kill(machine, -1, sig.SIGTERM, stranger)).toBe(0);
    expect(machine.state(pid)).toBe('RUNNING');
    expect(kill(machine, -1, sig.SIGTERM, pid)).toBe(0);
    expect(machine.state(stranger)).toBe('ZOMBIE');
    expect(machine.state(1)).toBe('RUNNING');
  });

  it('tkill and tgkill go to one thread', () => {
    const { machine, pid } = lone();
    const { tid } = machine.kernel('thread', { pid, tid: pid }) as { tid: number };
    catchSignal(machine, pid, sig.SIGUSR1);
    expect(machine.result(pid, 'tgkill', { tgid: pid, tid, signal: sig.SIGUSR1 })).toBe(0);
    expect(machine.frames.at(-1)).toMatchObject({ pid, tid });
    expect(int(machine.frames[0].frame.info, 8)).toBe(sig.SI_TKILL);
    expect(machine.result(pid, 'tgkill', { tgid: 1, tid, signal: 0 })).toBe(-3);
    expect(machine.result(pid, 'tgkill', { tgid: 0, tid, signal: 0 })).toBe(-22);
    expect(machine.result(pid, 'tkill', { tid: 0, signal: 0 })).toBe(-22);
    expect(machine.result(pid, 'tkill', { tid: 4000, signal: 0 })).toBe(-3);
    // The process's own signal goes to the thread that does not block it.
    block(machine, pid, sig.SIGUSR1);
    machine.kernel('signalReturn', { pid, tid, mask: 0n });
    kill(machine, pid, sig.SIGUSR1);
    expect(machine.frames.at(-1)).toMatchObject({ pid, tid });
  });

  it('lets no one pretend to be kill or the kernel, but to itself', () => {
    const { machine, pid } = lone();
    const other = machine.fork(pid);
    const info = machine.grant(128);
    const send = (code: number, tgid: number) => {
      new DataView(info.bytes.buffer).setInt32(8, code, true);
      return machine.result(pid, 'sigqueue', { tgid, signal: sig.SIGCHLD, info });
    };
    expect([send(sig.SI_USER, other), send(sig.SI_TKILL, other), send(sig.SI_KERNEL, other)]).toEqual([-1, -1, -1]);
    expect([send(sig.SI_USER, pid), send(sig.SI_QUEUE, other)]).toEqual([0, 0]);
  });
});

describe('faults', () => {
  const fault = (machine: Machine, pid: number) =>
    machine.kernel('fault', { pid, tid: pid, signal: sig.SIGSEGV, code: 1, address: 0x1234, errno: 0, syscall: -1 });

  it('enters the handler with the address', () => {
    const { machine, pid } = lone();
    catchSignal(machine, pid, sig.SIGSEGV);
    fault(machine, pid);
    const { info } = machine.frames[0].frame;
    expect([int(info, 0), int(info, 8), int(info, 16)]).toEqual([sig.SIGSEGV, 1, 0x1234]);
  });

  it.each([
    [
      'blocked',
      (machine: Machine, pid: number) => {
        catchSignal(machine, pid, sig.SIGSEGV);
        block(machine, pid, sig.SIGSEGV);
      },
    ],
    ['ignored', (machine: Machine, pid: number) => void ignoreSignal(machine, pid, sig.SIGSEGV)],
    ['left at the default', () => {}],
  ])('kills when the signal is %s', (_, prepare) => {
    const { machine, pid } = lone();
    prepare(machine, pid);
    fault(machine, pid);
    expect(machine.table.getProcess(pid)).toMatchObject({ state: 'ZOMBIE', exitCode: sig.SIGSEGV });
  });
});

describe('waiting for signals', () => {
  const set = (machine: Machine, ...signals: number[]) => machine.grant(sig.encodeSigset(sig.setOf(...signals)));

  it('rt_sigsuspend returns after a handler that restores the old mask', () => {
    const { machine, pid } = lone();
    catchSignal(machine, pid, sig.SIGUSR1);
    block(machine, pid, sig.SIGUSR1);
    const sleeper = machine.call(pid, 'sigsuspend', { set: set(machine, sig.SIGINT), setSize: 8 }) as Sleeper;
    expect(machine.table.threads.get(pid)?.sigMask).toBe(sig.bit(sig.SIGINT));
    machine.kernel('killHost', { target: pid, signal: sig.SIGCHLD });
    expect(sleeper.outcome).toBeUndefined();
    machine.kernel('killHost', { target: pid, signal: sig.SIGUSR1 });
    expect(sleeper.outcome).toBe(EINTR);
    expect(machine.frames[0].frame.savedMask).toBe(sig.bit(sig.SIGUSR1));
    expect(machine.table.threads.get(pid)).toMatchObject({
      sigMask: sig.setOf(sig.SIGUSR1, sig.SIGINT),
      savedMask: undefined,
    });
  });

  it('rt_sigsuspend returns at once if the signal is pending', () => {
    const { machine, pid } = lone();
    catchSignal(machine, pid, sig.SIGUSR1);
    block(machine, pid, sig.SIGUSR1);
    kill(machine, pid, sig.SIGUSR1);
    expect(machine.call(pid, 'sigsuspend', { set: set(machine), setSize: 8 })).toBe(EINTR);
  });

  it('a temporary mask is restored when no handler took it', () => {
    const { machine, pid } = lone();
    catchSignal(machine, pid, sig.SIGUSR1);
    block(machine, pid, sig.SIGUSR1);
    const ids = { pid, tid: pid };
    expect(machine.kernel('temporaryMask', { ...ids, mask: 0n })).toEqual({ interrupted: false });
    machine.kernel('restoreMask', ids);
    expect(machine.table.threads.get(pid)?.sigMask).toBe(sig.bit(sig.SIGUSR1));
    kill(machine, pid, sig.SIGUSR1);
    expect(machine.kernel('temporaryMask', { ...ids, mask: 0n })).toEqual({ interrupted: true });
    expect(machine.frames[0].frame.savedMask).toBe(sig.bit(sig.SIGUSR1));
    machine.kernel('restoreMask', ids);
    expect(machine.frames).toHaveLength(1);
  });

  it('rt_sigtimedwait takes a signal without its handler', () => {
    const { machine, pid } = lone();
    catchSignal(machine, pid, sig.SIGUSR1);
    block(machine, pid, sig.SIGUSR1);
    const info = machine.grant(128);
    const request = { set: set(machine, sig.SIGUSR1), info, timeout: null, setSize: 8 };
    kill(machine, pid, sig.SIGUSR1);
    expect(machine.call(pid, 'sigtimedwait', request)).toEqual({ result: sig.SIGUSR1 });
    expect(int(info.bytes, 16)).toBe(pid);
    const sleeper = machine.call(pid, 'sigtimedwait', request) as Sleeper;
    machine.kernel('killHost', { target: pid, signal: sig.SIGUSR1 });
    expect(sleeper.outcome).toEqual({ result: sig.SIGUSR1 });
    expect(machine.frames).toEqual([]);
    expect(pendingOf(machine, pid)).toBe(0n);
  });

  it('rt_sigtimedwait times out, or is interrupted by another handler', () => {
    const { machine, pid } = lone();
    block(machine, pid, sig.SIGUSR1);
    const timeout = machine.grant(new Uint8Array(new BigInt64Array([2n, 0n]).buffer));
    const request = { set: set(machine, sig.SIGUSR1), info: null, timeout, setSize: 8 };
    const sleeper = machine.call(pid, 'sigtimedwait', request) as Sleeper;
    machine.advance(1_999_999_999);
    expect(sleeper.outcome).toBeUndefined();
    machine.advance(1);
    expect(sleeper.outcome).toBe(EAGAIN);
    // It waits no more: the signal goes its usual way.
    catchSignal(machine, pid, sig.SIGUSR1);
    unblock(machine, pid, sig.SIGUSR1);
    kill(machine, pid, sig.SIGUSR1);
    expect(machine.frames).toHaveLength(1);
    catchSignal(machine, pid, sig.SIGUSR2);
    const second = machine.call(pid, 'sigtimedwait', request) as Sleeper;
    machine.kernel('killHost', { target: pid, signal: sig.SIGUSR2 });
    expect(second.outcome).toBe(EINTR);
  });
});
