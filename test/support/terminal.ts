/** Runs a program of the guest on the console of a system of its own, and types at it (conformance/terminal/scripts.ts). */
import { boot } from '../../src/index.ts';
import type { Chunk } from '../conformance/terminal/scripts.ts';
import { latin1 } from './programs.ts';

/** All that appears on the console, and the status. */
export const runOnConsole = async (program: Uint8Array, script: readonly Chunk[]): Promise<string> => {
  let seen = '';
  let given = 0;
  const give = (): void => {
    while (given < script.length && seen.includes(`<${given + 1}>`)) {
      const chunk = script[given++];
      if (typeof chunk === 'string') os.system.input(0, Buffer.from(chunk, 'latin1'));
      else os.system.resize(0, chunk[0], chunk[1]);
      os.driver.poke();
    }
  };
  const os = await boot({
    files: [{ type: 'file', path: '/bin/program', mode: 0o755, data: program }],
    console: (_terminal, bytes) => {
      seen += latin1(bytes);
      // Not from inside the system's own turn.
      setImmediate(give);
    },
  });
  try {
    os.system.resize(0, 24, 80);
    const console = { stdin: 'console', stdout: 'console', stderr: 'console' } as const;
    const { code } = await (await os.spawn('/bin/program', [], { env: {}, cwd: '/', ...console })).exited;
    return `${seen}status ${code}\n`;
  } finally {
    await os.shutdown();
  }
};
