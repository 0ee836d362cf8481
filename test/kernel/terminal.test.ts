/** A shell at a console, as a person uses it: line editing, jobs, keys that make signals, window size, a full-screen editor. */
import { expect, test } from 'vitest';
import { Errno } from '../../src/abi/errno.ts';
import { findBusybox } from '../../src/host/node/busybox.ts';
import { Rig } from './rig.ts';

class Console {
  readonly rig = new Rig();
  readonly pid: number;
  #seen = 0;

  constructor() {
    let pid = 0;
    const standard = { stdin: 'console', stdout: 'console', stderr: 'console' } as const;
    this.rig.system.spawn(
      { path: '/bin/sh', argv: ['-sh'], env: ['PATH=/bin:/usr/bin:/sbin', 'TERM=vt100'], terminal: 0, ...standard },
      (spawned) => {
        if (spawned instanceof Errno) throw new Error(`sh: ${spawned}`);
        pid = spawned.pid;
      },
    );
    this.pid = pid;
    this.expect('# ');
  }

  /** Waits until the text has been written since the last one; answers what came with it. */
  expect(text: string): string {
    const { platform } = this.rig;
    this.rig.runUntil(() => platform.output.indexOf(text, this.#seen) >= 0);
    const end = platform.output.indexOf(text, this.#seen) + text.length;
    const found = platform.output.slice(this.#seen, end);
    this.#seen = end;
    return found;
  }

  type(keys: string): void {
    this.rig.system.input(
      0,
      Uint8Array.from(keys, (key) => key.charCodeAt(0)),
    );
  }

  /** Types a command and waits for its answer and the next prompt. */
  command(line: string, answer: string): string {
    this.type(`${line}\n`);
    this.expect(`${line}\r\n`);
    return this.expect(answer) + this.expect('# ');
  }

  /** Waits until a process with this name sleeps: the shell has started it. */
  started(name: string): void {
    const { processes } = this.rig.system.kernel;
    this.rig.runUntil(() => [...processes.values()].some(({ identity }) => identity.name === name));
  }
}

test.skipIf(findBusybox() === undefined)('a session', () => {
  const shell = new Console();
  expect(shell.pid).toBe(5);
  const ps = shell.command('ps', ' ps\r\n');
  expect(ps).toMatch(/ 1 root .*init\r\n/);
  expect(ps).toMatch(/ 5 root .*sh\r\n/);

  shell.type('sleep 100 &\n');
  shell.expect('sleep 100 &\r\n');
  shell.expect('# ');
  shell.started('sleep');
  shell.command('jobs', 'Running                    sleep 100\r\n');
  shell.command('kill %1; wait %1; echo ended', 'ended\r\n');

  shell.type('yes > /dev/null\n');
  shell.started('yes');
  shell.type('\x03');
  shell.expect('^C');
  shell.expect('# ');
  shell.command('echo "status $?"', 'status 130\r\n');

  shell.type('cat\n');
  shell.started('cat');
  shell.type('to be\x7f\x7fgo\n');
  shell.expect('to be\b \b\b \bgo\r\nto go\r\n');
  shell.type('\x1a');
  shell.expect('Stopped                    cat\r\n');
  shell.type('fg\n');
  shell.expect('fg\r\ncat\r\n');
  shell.type('again\n');
  shell.expect('again\r\nagain\r\n');
  shell.type('\x04');
  shell.expect('# ');

  shell.command('stty size', '24 80\r\n');
  shell.rig.system.resize(0, 40, 100);
  shell.command('stty size', '40 100\r\n');

  shell.type('vi /tmp/x\n');
  shell.expect('1/1 100%');
  shell.type('ihello from vi');
  shell.expect('hello from vi');
  shell.type('\x1b');
  shell.expect('[Modified]');
  shell.type(':wq\n');
  shell.expect('# ');
  shell.command('cat /tmp/x', 'hello from vi\r\n');

  let code: number | undefined;
  shell.rig.system.wait(shell.pid, (status) => {
    if (!(status instanceof Errno)) code = status.code;
  });
  shell.type('exit 3\n');
  shell.rig.runUntil(() => code !== undefined);
  expect(code).toBe(3);
});
