/**
 * A short run of `npm run test:cpu`: some 300,000 random instruction instances over every form must end on the engine as
 * they end on the host processor; and the comparison must notice an engine that is wrong.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FORMS } from '../../src/cpu/forms/index.ts';
import { GPR, Reg } from '../../src/cpu/state.ts';
import { STATE } from '../../src/memory/layout.ts';
import { runDifferential } from './driver.ts';
import type { TestedEngine } from './emulated.ts';
import { createEngine } from './engines.ts';
import { HostProcessor } from './native.ts';

const reason = HostProcessor.unavailable();
const name = `differential test of the processor${reason === undefined ? '' : ` (skipped: ${reason})`}`;

describe.skipIf(reason !== undefined)(name, () => {
  const forms = FORMS.filter((form) => form.options.untested === undefined);
  let host: HostProcessor;
  beforeAll(() => {
    host = new HostProcessor(join(import.meta.dirname, '../..'));
  });
  afterAll(() => host.close());

  test('300,000 instances agree with the host', { timeout: 120_000 }, () => {
    const result = runDifferential({ forms, factory: createEngine, host, count: 300_000, seed: 20, details: 5 });
    expect(result.reports.join('\n\n')).toBe('');
    expect(result.failed).toBe(0);
    expect(result.passed).toBeGreaterThanOrEqual(300_000);
    expect(result.forms.filter((form) => form.instances === 0)).toEqual([]);
  });

  test('an engine that changes RBX is found out', { timeout: 60_000 }, () => {
    const result = runDifferential({
      forms: forms.filter((form) => form.mnemonic === 'add'),
      factory: (window, engineHost) => {
        const engine = createEngine(window, engineHost);
        const words = new Int32Array(window.memory.buffer, STATE, 64);
        const broken: TestedEngine = {
          run(budget) {
            const trap = engine.run(budget);
            words[(GPR + 8 * Reg.RBX) >> 2] ^= 1;
            return trap;
          },
          prepare: (codes) => engine.prepare?.(codes),
          invalidate: (page) => engine.invalidate(page),
          reset: () => engine.reset(),
          inherit: (parent) => engine.inherit(parent),
          statistics: engine.statistics,
        };
        return broken;
      },
      host,
      count: 1000,
      seed: 1,
      details: 1,
    });
    expect(result.passed).toBe(0);
    expect(result.reports[0]).toContain('rbx: host');
  });
});
