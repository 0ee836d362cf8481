/** Terminals: the line discipline, reading modes, settings, job control. termios(3), ioctl_tty(2). */
import { beforeEach, describe, expect, it } from 'vitest';
import * as e from '../../../abi/errno.ts';
import * as f from '../../../abi/fcntl.ts';
import * as io from '../../../abi/ioctl.ts';
import * as t from '../../../abi/termios.ts';
import { VfsMachine } from '../testing/machine.ts';
import { toBytes, User } from '../testing/user.ts';

let machine: VfsMachine;
let user: User;

beforeEach(() => {
  machine = new VfsMachine();
  machine.process(5);
  user = new User(machine, 5);
  const kinds = { stdin: 0, stdout: 0, stderr: 0 };
  machine.call('attachStandard', 0, { pid: 5, terminal: 0, ...kinds, cwd: '/', umask: 0o022 });
});

const type = (text: string): void => void machine.call('terminalInput', 0, { terminal: 0, data: toBytes(text) });

/** Changes the settings as tcgetattr, tcsetattr do. */
const set = (change: (termios: { -readonly [K in keyof t.Termios]: t.Termios[K] }) => void): void => {
  const bytes = new Uint8Array(36);
  user.ioctl(0, io.TCGETS, bytes);
  const termios = { ...t.decodeTermios(bytes, t.defaultTermios) };
  change(termios);
  expect(user.ioctl(0, io.TCSETS, t.encodeTermios(termios, 36))).toBe(0);
};

const raw = (minimum: number, time: number): void =>
  set((termios) => {
    termios.lflag &= ~(t.ICANON | t.ECHO);
    termios.cc = termios.cc.map((c, i) => (i === t.VMIN ? minimum : i === t.VTIME ? time : c));
  });

describe('output', () => {
  it('turns newlines into returns and newlines', () => {
    user.write(1, 'one\ntwo\n');
    expect(machine.console).toBe('one\r\ntwo\r\n');
  });

  it('is left alone without OPOST, and expands tabs with XTABS', () => {
    set((termios) => {
      termios.oflag = 0;
    });
    user.write(1, 'a\n\tb');
    set((termios) => {
      termios.oflag = t.OPOST | t.XTABS;
    });
    user.write(1, '\rab\tc');
    expect(machine.console).toBe('a\n\tb\rab      c');
  });

  it('waits while the host takes no more', () => {
    machine.consoleRoom = 3;
    expect(user.write(1, 'abcdef')).toBe(6);
    const writing = user.startWrite(1, 'ghi');
    expect(writing.sleeps).toBe(true);
    machine.consoleRoom = Infinity;
    machine.call('terminalDrained', 0, { terminal: 0 });
    expect(writing.outcome).toEqual({ result: 3 });
    expect(machine.console).toBe('abcdefghi');
  });

  it('stops with ^S and goes on with ^Q', () => {
    type('\x13');
    const writing = user.startWrite(1, 'held');
    expect(writing.sleeps).toBe(true);
    expect(machine.console).toBe('');
    type('\x11');
    expect(writing.outcome).toEqual({ result: 4 });
    expect(machine.console).toBe('held');
  });
});

describe('canonical input', () => {
  it('gives whole lines and echoes them', () => {
    const reading = user.startRead(0, 100);
    type('hel');
    expect(reading.sleeper.sleeps).toBe(true);
    type('lo\r');
    expect(reading.text()).toBe('hello\n');
    expect(machine.console).toBe('hello\r\n');
    type('a\nb\n');
    expect(user.read(0, 100)).toBe('a\n');
    expect(user.read(0, 1)).toBe('b');
    expect(user.read(0, 100)).toBe('\n');
  });

  it('edits with erase, kill, word erase and literal next', () => {
    type('abx\x7fc\n');
    expect(user.read(0, 100)).toBe('abc\n');
    expect(machine.console).toBe('abx\b \bc\r\n');
    type('gone\x15kept\n');
    expect(user.read(0, 100)).toBe('kept\n');
    type('one two  \x17three\n');
    expect(user.read(0, 100)).toBe('one three\n');
    type('\x16\x03\n');
    expect(user.read(0, 100)).toBe('\x03\n');
    expect(machine.signals).toEqual([]);
  });

  it('erases what is shown: control characters, tabs, UTF-8', () => {
    type('\x01\x7f');
    expect(machine.console).toBe('^A\b \b\b \b');
    machine.console = '';
    type('a\t\x7f');
    expect(machine.console).toBe(`a\t${'\b'.repeat(7)}`);
    type('\x7f\xc3\xa9\x7fz\n');
    expect(user.read(0, 100)).toBe('z\n');
  });

  it('ends with ^D: what there is, or nothing', () => {
    type('abc\x04');
    expect(user.read(0, 3)).toBe('abc');
    type('\x04');
    expect(user.read(0, 100)).toBe('');
    expect(machine.console).toBe('abc');
  });

  it('reprints the line with ^R', () => {
    type('abc\x12');
    expect(machine.console).toBe('abc^R\r\nabc');
  });

  it('takes 4095 bytes of a line and its newline', () => {
    type(`${'x'.repeat(5000)}\n`);
    expect(user.read(0, 10_000)).toHaveLength(4096);
  });

  it('maps returns and newlines as told', () => {
    set((termios) => {
      termios.iflag = t.IGNCR | t.INLCR;
    });
    type('a\rb\nc\x04');
    expect(user.read(0, 10)).toBe('ab\rc');
  });
});

describe('raw input', () => {
  it('waits for VMIN bytes', () => {
    raw(3, 0);
    const reading = user.startRead(0, 10);
    type('ab');
    expect(reading.sleeper.sleeps).toBe(true);
    type('c');
    expect(reading.text()).toBe('abc');
    expect(machine.console).toBe('');
  });

  it('gives up after VTIME', () => {
    raw(0, 5);
    const reading = user.startRead(0, 10);
    machine.advance(499e6);
    expect(reading.sleeper.sleeps).toBe(true);
    machine.advance(1e6);
    expect(reading.text()).toBe('');
    raw(0, 0);
    expect(user.read(0, 10)).toBe('');
  });

  it('counts VTIME between bytes when VMIN is set', () => {
    raw(5, 2);
    const reading = user.startRead(0, 10);
    machine.advance(10e9);
    type('a');
    machine.advance(150e6);
    type('b');
    machine.advance(150e6);
    expect(reading.sleeper.sleeps).toBe(true);
    machine.advance(50e6);
    expect(reading.text()).toBe('ab');
  });

  it('keeps what was typed when the mode changes', () => {
    type('half');
    raw(1, 0);
    expect(user.read(0, 10)).toBe('half');
    expect(user.ioctl(0, io.TCFLSH, undefined, 0)).toBe(0);
    expect(user.fcntl(0, f.F_SETFL, f.O_NONBLOCK)).toBe(0);
    expect(user.read(0, 10)).toBe(e.EAGAIN);
  });
});

describe('signals', () => {
  it('come from ^C, ^\\ and ^Z, for the foreground group', () => {
    type('typed\x03');
    type('\x1c\x1a');
    expect(machine.signals.map(({ target, signal }) => [target, signal])).toEqual([
      [5, 2],
      [5, 3],
      [5, 20],
    ]);
    expect(machine.console).toBe('^C^\\^Z');
    type('rest\n');
    expect(user.read(0, 100)).toBe('rest\n');
  });

  it('tell of another window size', () => {
    machine.call('terminalResize', 0, { terminal: 0, rows: 50, columns: 132 });
    const size = new Uint8Array(8);
    user.ioctl(1, io.TIOCGWINSZ, size);
    expect([...new Uint16Array(size.buffer)]).toEqual([50, 132, 0, 0]);
    expect(machine.signals).toEqual([{ target: 5, signal: 28, toProcess: false }]);
  });
});

describe('job control', () => {
  const SIGTTIN = 21;
  const SIGTTOU = 22;

  beforeEach(() => {
    // A child of the shell in a group of its own, in the background.
    machine.process(6, { ppid: 5, sid: 5, pgid: 6, terminal: machine.processes.get(5)!.view.terminal });
    machine.call('forkProcess', 0, { parent: 5, child: 6, shareFiles: false });
  });

  const group = (fd: number, who = user): number => {
    const bytes = new Uint8Array(4);
    expect(who.ioctl(fd, io.TIOCGPGRP, bytes)).toBe(0);
    return new Int32Array(bytes.buffer)[0];
  };
  const setGroup = (pid: number, value: number): unknown => {
    const buf = machine.grant(new Uint8Array(Int32Array.of(value).buffer));
    return machine.start('ioctl', pid, { fd: 0, request: io.TIOCSPGRP, argument: 0, buf });
  };

  it('stops background readers until they are in the foreground', () => {
    const child = new User(machine, 6);
    const reading = child.startRead(0, 10);
    expect(reading.sleeper.sleeps).toBe(true);
    expect(machine.signals).toEqual([{ target: 6, signal: SIGTTIN, toProcess: false }]);
    setGroup(5, 6);
    expect(group(0)).toBe(6);
    type('x\n');
    expect(reading.text()).toBe('x\n');
  });

  it('refuses those that nobody could continue, or that refuse the signal', () => {
    const child = new User(machine, 6);
    machine.change(6, { ignored: 1n << 20n });
    expect(child.read(0, 1)).toBe(e.EIO);
    machine.change(6, { ignored: 0n, ppid: 1 });
    expect(child.read(0, 1)).toBe(e.EIO);
    expect(machine.signals).toEqual([]);
  });

  it('lets the background write unless TOSTOP is set', () => {
    const child = new User(machine, 6);
    expect(child.write(1, 'free')).toBe(4);
    set((termios) => {
      termios.lflag |= t.TOSTOP;
    });
    const writing = child.startWrite(1, 'stop');
    expect(writing.sleeps).toBe(true);
    expect(machine.signals).toEqual([{ target: 6, signal: SIGTTOU, toProcess: false }]);
    machine.change(6, { blocked: 1n << 21n });
    expect(child.write(1, ' yes')).toBe(4);
  });

  it('guards TIOCSPGRP', () => {
    machine.process(7, { sid: 7, pgid: 7 });
    expect(setGroup(5, 7)).toMatchObject({ outcome: e.EPERM });
    expect(setGroup(5, 99)).toMatchObject({ outcome: e.ESRCH });
    expect(setGroup(6, 6)).toMatchObject({ outcome: undefined });
    expect(machine.signals).toEqual([{ target: 6, signal: SIGTTOU, toProcess: false }]);
  });

  it('gives /dev/tty to those who have a terminal', () => {
    const fd = user.fd('/dev/tty', f.O_RDWR);
    user.write(fd, 'mine');
    expect(machine.console).toBe('mine');
    machine.process(8);
    const stranger = new User(machine, 8);
    expect(stranger.open('/dev/tty')).toBe(e.ENXIO);
    const console = stranger.fd('/dev/tty2', f.O_RDWR);
    expect(group(console, stranger)).toBe(8);
    expect(machine.processes.get(8)!.view.terminal).toBe(0x402);
    expect(stranger.fd('/dev/tty')).toBe(1);
  });

  it('hangs up: end of file, EIO, SIGHUP', () => {
    const reading = user.startRead(0, 10);
    machine.call('terminalHangup', 0, { terminal: 0 });
    expect(reading.text()).toBe('');
    expect(user.write(1, 'x')).toBe(e.EIO);
    expect(machine.signals).toContainEqual({ target: 5, signal: 1, toProcess: true });
    expect(machine.processes.get(5)!.view.terminal).toBe(0);
  });

  it('frees the terminal when the session leader ends', () => {
    setGroup(5, 6);
    machine.call('exitProcess', 0, { pid: 5 });
    expect(machine.signals).toContainEqual({ target: 6, signal: 1, toProcess: false });
    expect(machine.processes.get(6)!.view.terminal).toBe(0);
    machine.process(9);
    const next = new User(machine, 9);
    next.fd('/dev/console', f.O_RDWR);
    expect(group(0, next)).toBe(9);
  });
});

it('answers ENOTTY where there is no terminal', () => {
  const fd = user.fd('/tmp', 0);
  expect(user.ioctl(fd, io.TCGETS, new Uint8Array(36))).toBe(e.ENOTTY);
  expect(user.ioctl(fd, io.TIOCGWINSZ, new Uint8Array(8))).toBe(e.ENOTTY);
  expect(user.ioctl(0, 0x1234)).toBe(e.ENOTTY);
  expect(user.ioctl(77, io.TCGETS)).toBe(e.EBADF);
  expect(user.readlink('/proc/self/fd/0')).toBe('/dev/tty1');
});
