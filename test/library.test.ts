/** The library as a user sees it: boot, spawn with streams, files, signals, limits, mounts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBusybox } from '../src/host/node/busybox.ts';
import { boot, type Xinim, XinimError } from '../src/index.ts';
import { runGuest } from './support/programs.ts';

describe.skipIf(findBusybox() === undefined)('the library (needs busybox-static)', () => {
  let os: Xinim;
  let mounted: string;
  const sh = (script: string, options = {}) => runGuest(os, '/bin/sh', { args: ['-c', script], ...options });

  beforeAll(async () => {
    mounted = mkdtempSync(join(tmpdir(), 'xinim-mount-'));
    writeFileSync(join(mounted, 'from-host'), 'host\n');
    os = await boot({
      memory: 128 * 1024 ** 2,
      mounts: [
        { host: mounted, guest: '/host' },
        { host: mounted, guest: '/frozen', readOnly: true },
      ],
    });
  });

  afterAll(async () => {
    await os.shutdown();
    rmSync(mounted, { recursive: true });
  });

  test('the first program is PID 5, a child of init; its first child is 6', async () => {
    const fresh = await boot();
    const outcome = await runGuest(fresh, '/bin/sh', { args: ['-c', 'echo $$ $PPID; sh -c "echo \\$\\$"; true'] });
    expect(outcome).toEqual({ stdout: '5 1\n6\n', stderr: '', code: 0 });
    await fresh.shutdown();
  });

  test('streams carry bytes both ways, and the status comes back', async () => {
    const input = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i * 7)).toString('latin1');
    const { stdout, code } = await runGuest(os, '/bin/cat', { input });
    expect(stdout === input).toBe(true);
    expect(code).toBe(0);
    expect(await sh('echo out; echo err >&2; exit 3')).toEqual({ stdout: 'out\n', stderr: 'err\n', code: 3 });
  });

  test('a signal ends a program with 128 + its number', async () => {
    const child = await os.spawn('/bin/sleep', ['100']);
    child.kill('SIGTERM');
    expect(await child.exited).toEqual({ code: 143, signal: 15 });
    expect(() => child.kill()).toThrow(XinimError);
  });

  test('a program that cannot be started is an error with a code', async () => {
    await expect(os.spawn('/bin/nosuch')).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'spawn',
      path: '/bin/nosuch',
    });
    await expect(os.spawn('/etc/passwd')).rejects.toMatchObject({ code: 'EACCES' });
  });

  test('user, groups, folder and environment are those asked for', async () => {
    const options = { uid: 1000, gid: 1000, groups: [100], cwd: '/tmp', env: { A: 'ä b' } };
    const { stdout } = await sh('/bin/busybox id; pwd; echo "$A"', options);
    expect(stdout).toBe(Buffer.from('uid=1000(user) gid=1000(user) groups=100(users)\n/tmp\nä b\n').toString('latin1'));
  });

  test('os.fs reads and writes the files that programs see', async () => {
    await os.fs.mkdir('/tmp/a/b', { recursive: true });
    await os.fs.writeFile('/tmp/a/b/täxt', 'grüße\n', { mode: 0o600 });
    await os.fs.appendFile('/tmp/a/b/täxt', 'mehr\n');
    expect(await os.fs.readFile('/tmp/a/b/täxt', 'utf8')).toBe('grüße\nmehr\n');
    expect((await sh('cat /tmp/a/b/*; stat -c %a /tmp/a/b/*')).stdout).toBe(
      Buffer.from('grüße\nmehr\n600\n').toString('latin1'),
    );
    expect(await os.fs.readdir('/tmp/a/b')).toEqual(['täxt']);
    await os.fs.symlink('b', '/tmp/a/l');
    expect(await os.fs.readlink('/tmp/a/l')).toBe('b');
    expect((await os.fs.lstat('/tmp/a/l')).isSymbolicLink()).toBe(true);
    expect((await os.fs.stat('/tmp/a/l')).isDirectory()).toBe(true);
    await os.fs.rename('/tmp/a/b/täxt', '/tmp/a/moved');
    await os.fs.truncate('/tmp/a/moved', 3);
    expect((await os.fs.stat('/tmp/a/moved')).size).toBe(3);
    const large = new Uint8Array(1_000_000).fill(7);
    await os.fs.writeFile('/tmp/a/large', large);
    expect(Buffer.compare(await os.fs.readFile('/tmp/a/large'), large)).toBe(0);
    await os.fs.rm('/tmp/a', { recursive: true });
    await expect(os.fs.stat('/tmp/a')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(os.fs.readFile('/tmp')).rejects.toMatchObject({ code: 'EISDIR' });
  });

  test('a mounted folder is read and written, a read-only one only read', async () => {
    const { stdout, stderr } = await sh(
      'cat /host/from-host; echo guest > /host/made; echo x > /frozen/no; cat /frozen/made',
    );
    expect(stdout).toBe('host\nguest\n');
    expect(stderr).toContain('Read-only file system');
    expect(readFileSync(join(mounted, 'made'), 'utf8')).toBe('guest\n');
  });

  test('nothing of the host is visible', async () => {
    const { stdout } = await sh('env | sort; ls /host/..; ls -a /');
    expect(stdout).not.toContain(process.cwd().split('/')[1] === 'root' ? 'package.json' : process.cwd());
    for (const name of Object.keys(process.env).filter(
      (key) => !['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TERM', 'PWD', 'OLDPWD', 'SHLVL', '_'].includes(key),
    ))
      expect(stdout.split('\n').some((line) => line.startsWith(`${name}=`))).toBe(false);
  });

  test('memory and CPU time are limited', async () => {
    const { stderr, code } = await sh('dd if=/dev/zero of=/tmp/big bs=1M count=500; s=$?; rm /tmp/big; exit $s');
    expect(code).toBe(1);
    expect(stderr).toContain('No space left on device');
    const busy = await os.spawn('/bin/sh', ['-c', 'while :; do :; done'], { cpuTime: 1 });
    expect(await busy.exited).toEqual({ code: 128 + 24, signal: 24 });
  });

  test('two systems at once do not see each other', async () => {
    const other = await boot();
    await other.fs.writeFile('/tmp/only-there', 'x');
    await expect(os.fs.stat('/tmp/only-there')).rejects.toMatchObject({ code: 'ENOENT' });
    await other.shutdown();
  });
});
