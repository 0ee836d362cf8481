/**
 * Hostile programs (programs/*.c) run as user 1000 for a while: meanwhile another user's process goes on unharmed, and the
 * system answers root afterwards, with nothing of theirs left but what they wrote.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { findBusybox } from '../../src/host/node/busybox.ts';
import { boot, type Xinim } from '../../src/index.ts';
import { compile, hasCompiler, runGuest } from '../support/programs.ts';

const programs = join(import.meta.dirname, 'programs');
const attackers = readdirSync(programs)
  .map((name) => name.replace(/\.c$/, ''))
  .filter((name) => name !== 'victim');
const program = (name: string) => ({
  type: 'file' as const,
  path: `/bin/${name}`,
  mode: 0o755,
  data: readFileSync(compile(join(programs, `${name}.c`), 'gcc', ['-O1', '-pthread'])),
});

/** How long an attack goes on, in milliseconds of the host. */
const ATTACK = 1500;

const lines = (stream: ReadableStream<Uint8Array>): (() => Promise<string>) => {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  return async () => {
    for (;;) {
      const end = rest.indexOf('\n');
      if (end >= 0) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 1);
        return line;
      }
      const { value, done } = await reader.read();
      if (done) throw new Error(`the stream ended after ${JSON.stringify(rest)}`);
      rest += decoder.decode(value, { stream: true });
    }
  };
};

const later = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe.skipIf(!hasCompiler('gcc') || findBusybox() === undefined)(
  'hostile programs (need gcc, busybox-static)',
  () => {
    let os: Xinim | undefined;
    afterEach(async () => {
      await os?.shutdown();
      os = undefined;
    });

    test.each(attackers)('%s', { timeout: 300_000 }, async (name) => {
      os = await boot({ memory: 192 * 1024 ** 2, files: [program(name), program('victim')] });
      const victim = await os.spawn('/bin/victim', [], { uid: 2000, gid: 2000 });
      const answer = lines(victim.stdout!);
      const writer = victim.stdin!.getWriter();
      const ask = async (word: string): Promise<string> => {
        await writer.write(new TextEncoder().encode(`${word}\n`));
        return answer();
      };
      expect(await answer()).toBe('ready');

      const attacker = await os.spawn(`/bin/${name}`, [], { uid: 1000, gid: 1000 });
      expect(await lines(attacker.stdout!)()).toBe('started');
      await later(ATTACK);
      // In the middle of it both others are answered.
      expect(await ask('during')).toBe('1 wrong 0 kept during');
      expect((await runGuest(os, '/bin/echo', { args: ['root is served'] })).stdout).toBe('root is served\n');

      // Root ends it: one kill may miss those that are being born.
      const clean =
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
        'for i in 1 2 3 4 5 6 7 8 9 10; do pids=$(for p in /proc/[0-9]*; do [ "$(stat -c %u $p 2>/dev/null)" = 1000 ] && echo ${p#/proc/}; done); [ -z "$pids" ] && break; kill -STOP $pids 2>/dev/null; kill -KILL $pids 2>/dev/null; done; echo "left: $pids"';
      expect(await runGuest(os, '/bin/sh', { args: ['-c', clean] })).toMatchObject({ stdout: 'left: \n' });
      await attacker.exited;
      expect(await ask('after')).toBe('2 wrong 0 kept after');
      const work =
        'rm -rf /tmp/fill-* /tmp/ddd*; echo x > /tmp/y && cat /tmp/y && ls / | wc -l | grep -c . && sh -c "exit 5"; echo $?';
      expect((await runGuest(os, '/bin/sh', { args: ['-c', work] })).stdout).toBe('x\n1\n5\n');
      await writer.close();
      expect(await victim.exited).toEqual({ code: 0, signal: undefined });
    });
  },
);
