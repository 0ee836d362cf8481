/**
 * Servers that crash: each handler is made to throw once at each point of a delivery, while real programs run. The request
 * is repeated, nothing is lost, and the programs print what they print on a system whose servers live.
 */
import { expect, test } from 'vitest';
import { findBusybox } from '../../src/host/node/busybox.ts';
import { Rig } from './rig.ts';

const SCRIPT = `
set -e
mkdir -p /tmp/d/e; cd /tmp/d
for i in 1 2 3 4 5; do echo "line $i" >> f; done
cat f | tr a-z A-Z | sort -r > g
ln -s g h; ln f k; mv k e/k; cp g e/copy; chmod 600 e/copy; touch -d '2020-01-02 03:04:05' f
ls -l e | awk '{print $1, $2, $3, $5, $9}'
wc -l f g; head -n 2 h; readlink h; stat -c '%a %s %F' e/copy; rm -r e; test ! -e e/k
trap 'echo trapped' USR1; kill -USR1 $$
(sleep 1; echo slept) & wait $!
( kill -9 $(sh -c 'echo $PPID') ) || echo killed $?
echo $((6 * 7)) > n; read v < n; echo "$v"
dd if=/dev/zero bs=1024 count=3 2>/dev/null | wc -c
x=$(yes | head -n 3 | tr '\\n' ,); echo $x
pwd; umask; id -u; find / -xdev -name passwd
`;

const run = (chaos?: (server: string, call: string, phase: string) => void): { output: string; rig: Rig } => {
  const rig = new Rig([], { chaos });
  return { output: rig.run('/bin/sh', ['sh', '-c', SCRIPT], ['PATH=/bin:/usr/bin:/sbin']).output, rig };
};

test.skipIf(findBusybox() === undefined)('every handler throws once at every point and nothing is lost', () => {
  const plain = run();
  expect(plain.output).toContain('42');
  expect(plain.output).toContain('passwd');
  for (const point of ['before', 'after-handler', 'before-reply']) {
    const thrown = new Set<string>();
    const { output, rig } = run((server, call, phase) => {
      const key = `${server}.${call}`;
      if (phase !== point || thrown.has(key)) return;
      thrown.add(key);
      throw new Error(`chaos ${phase} in ${key}`);
    });
    expect(output, point).toBe(plain.output);
    expect(thrown.size, point).toBeGreaterThan(50);
    const restarts = rig.system.kernel.servers.reduce((sum, { port }) => sum + port.statistics.restarts, 0);
    expect(restarts, point).toBe(thrown.size);
  }
});

test.skipIf(findBusybox() === undefined)(
  'a request that kills its server twice gets EIO, and only its caller notices',
  () => {
    const rig = new Rig([], {
      chaos: (_server, call, phase) => {
        if (call === 'mkdir' && phase === 'after-handler') throw new Error('mkdir always dies');
      },
    });
    const { output } = rig.run('/bin/sh', ['sh', '-c', 'mkdir /tmp/x; ls -d /tmp/x; echo alive'], ['PATH=/bin']);
    expect(output.replaceAll('\r', '')).toBe(
      "mkdir: can't create directory '/tmp/x': I/O error\nls: /tmp/x: No such file or directory\nalive\n",
    );
  },
);
