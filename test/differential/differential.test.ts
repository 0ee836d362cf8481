/**
 * A short run of `npm run test:cpu`: some 300,000 random instruction instances over every form, and random programs on every
 * engine, must end as they end on the host processor; and the comparisons must notice an engine that is wrong.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FORMS } from '../../src/cpu/forms/index.ts';
import { GPR, Reg } from '../../src/cpu/state.ts';
import { STATE } from '../../src/memory/layout.ts';
import { runDifferential } from './driver.ts';
import type { EngineFactory, TestedEngine } from './emulated.ts';
import { createEngine, ENGINES } from './engines.ts';
import { HostProcessor } from './native.ts';
import { runPrograms } from './programs/driver.ts';

const reason = HostProcessor.unavailable();
const name = `differential test of the processor${reason === undefined ? '' : ` (skipped: ${reason})`}`;

/** Engines that are right but for one register. */
const breaking =
  (factory: EngineFactory, register: Reg): EngineFactory =>
  (window, engineHost) => {
    const engine = factory(window, engineHost);
    const words = new Int32Array(window.memory.buffer, STATE, 64);
    const broken: TestedEngine = {
      run(budget) {
        const trap = engine.run(budget);
        words[(GPR + 8 * register) >> 2] ^= 1;
        return trap;
      },
      prepare: (codes) => engine.prepare?.(codes),
      invalidate: (page) => engine.invalidate(page),
      reset: () => engine.reset(),
      inherit: (parent) => engine.inherit(parent),
      statistics: engine.statistics,
    };
    return broken;
  };

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

  test('random programs agree with the host on both engines', { timeout: 120_000 }, () => {
    const result = runPrograms({ host, engines: ENGINES, count: 1000, seed: 20, details: 2 });
    expect(result.reports.join('\n\n')).toBe('');
    expect(result.passed).toBe(1000);
    expect(result.faults).toBeGreaterThan(50);
  });

  test('a program that ends differently is found out', { timeout: 60_000 }, () => {
    const broken = breaking(ENGINES['jit']!.factory, Reg.RBP);
    const engines = { jit: { factory: broken, fuses: false } };
    const result = runPrograms({ host, engines, count: 20, seed: 1, details: 1 });
    expect(result.passed).toBeLessThan(10);
    expect(result.reports[0]).toContain('rbp: host');
  });

  test('an engine that changes RBX is found out', { timeout: 60_000 }, () => {
    const result = runDifferential({
      forms: forms.filter((form) => form.mnemonic === 'add'),
      factory: breaking(createEngine, Reg.RBX),
      host,
      count: 1000,
      seed: 1,
      details: 1,
    });
    expect(result.passed).toBe(0);
    expect(result.reports[0]).toContain('rbx: host');
  });
});
