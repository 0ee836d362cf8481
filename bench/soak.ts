/**
 * `npm run soak`: mixed work in one system for an hour (`--minutes N`): shell scripts that fork and exec, pipes, files made
 * and removed, hashing, sorting, compression, awk, signals, programs with much memory and programs that write machine code.
 * Prints the memory of the host process once a minute and says at the end whether it has levelled off.
 *
 *     minute  rounds  processes  resident MiB  heap MiB  buffers MiB  translations  their KiB
 *
 * Entry point: `main`. Ends with status 1 if the work printed something else than in the first round.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { jitFigures } from '../src/cpu/index.ts';
import { boot } from '../src/index.ts';

const MIB = 2 ** 20;

/** Each is a command of the shell; what they print must be the same in every round. */
const WORK: readonly string[] = [
  'i=0; while [ $i -lt 40 ]; do /bin/true; /bin/echo $i; i=$((i+1)); done | tail -n 1',
  'seq 1 3000 | sort -rn | head -n 3; seq 1 2000 | awk "{s+=\\$1*\\$1} END {print s}"',
  'dd if=/dev/zero of=/tmp/z bs=4096 count=256 2>/dev/null; sha256sum </tmp/z; gzip -c /tmp/z | gunzip -c | md5sum; rm /tmp/z',
  'mkdir -p /tmp/d/e/f; for i in 1 2 3 4 5 6 7 8; do echo $i >/tmp/d/e/f/$i; done; find /tmp/d -type f | wc -l; tar cf - -C /tmp d | tar tf - | wc -l; rm -r /tmp/d',
  'sleep 100 & p=$!; kill $p; wait $p; echo $?; (trap "echo caught" USR1; kill -USR1 $$) 2>/dev/null; echo ok',
  'for i in 1 2 3 4 5 6; do (seq 1 200 | grep 7 | wc -l) & done; wait',
  'ls -lR /bin | wc -l; cat /proc/self/status | grep -c .; ps | grep -c init',
  '/tmp/trees | tail -n 1',
  '/tmp/changes | md5sum',
  '/tmp/qsort | tail -n 1',
];

/** A program of the repository, compiled; undefined without gcc. */
function program(root: string, file: string): Uint8Array | undefined {
  const folder = join(root, 'build/soak');
  mkdirSync(folder, { recursive: true });
  const out = join(folder, file.replace(/.*\//, '').replace(/\.c$/, ''));
  try {
    execFileSync('gcc', ['-O1', '-w', '-static', '-o', out, join(root, file), '-lm'], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return readFileSync(out);
}

const programs = (root: string): { path: string; data: Uint8Array }[] =>
  [
    ['/tmp/trees', 'bench/cpu/trees.c'],
    ['/tmp/qsort', 'bench/cpu/qsort.c'],
    ['/tmp/changes', 'test/conformance/programs/code-changes.c'],
  ].flatMap(([path, file]) => {
    const data = program(root, file);
    return data === undefined ? [] : [{ path, data }];
  });

/** Runs until the time is over; returns the exit status. */
export async function main(root: string, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { minutes: { type: 'string', default: '60' } } });
  const files = programs(root);
  const os = await boot({
    files: files.map(({ path, data }) => ({ type: 'file', path, mode: 0o755, data })),
  });
  const names = files.map(({ path }) => path);
  const work = WORK.filter((command) => {
    const own = /^\/tmp\/\w+/.exec(command);
    return own === null || names.includes(own[0]);
  });
  const start = performance.now();
  const end = start + Number(values.minutes) * 60_000;
  const samples: number[] = [];
  let rounds = 0;
  let processes = 0;
  let failures = 0;
  let next = start;
  const expected: string[] = [];
  const report = (): void => {
    const memory = process.memoryUsage();
    const jit = jitFigures();
    const columns = [
      (performance.now() - start) / 60_000,
      rounds,
      processes,
      memory.rss / MIB,
      memory.heapUsed / MIB,
      (memory.external + memory.arrayBuffers) / MIB,
      jit.units,
      jit.memory / 1024,
    ];
    samples.push(memory.rss / MIB);
    console.log(columns.map((value, i) => value.toFixed(i === 0 ? 1 : 0).padStart(9)).join(' '));
  };
  console.log('   minute    rounds processes  resident      heap   buffers     units   their K');
  while (performance.now() < end) {
    for (const [i, command] of work.entries()) {
      const child = await os.spawn('/bin/sh', ['-c', command], { argv0: 'sh', stdin: 'null', stderr: 'null' });
      processes = Math.max(processes, child.pid);
      const output = await new Response(child.stdout).text();
      const { code } = await child.exited;
      const seen = `${output}status ${code}`;
      if (rounds === 0) expected.push(seen);
      else if (seen !== expected[i]) {
        failures++;
        console.log(
          `round ${rounds}: ${command}\n  printed ${JSON.stringify(seen)}, before ${JSON.stringify(expected[i])}`,
        );
      }
      if (performance.now() >= next) {
        report();
        next += 60_000;
      }
    }
    rounds++;
  }
  report();
  await os.shutdown();
  const third = Math.ceil(samples.length / 3);
  const middle = Math.max(...samples.slice(third, 2 * third));
  const last = Math.max(...samples.slice(-third));
  console.log(
    `${rounds} rounds, ${failures} differences; most resident memory in the second third ${middle.toFixed(0)} MiB, in the last ${last.toFixed(0)} MiB`,
  );
  return failures === 0 ? 0 : 1;
}
