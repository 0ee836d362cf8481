import { expect, it } from 'vitest';
import { type ChaosPhase, Killed } from '../../ipc/server-loop.ts';
import { Chaos } from './chaos.ts';
import { parseChaos } from './spec.ts';

it('parses what it documents', () => {
  expect(parseChaos('seed=7, kill=vfs@100,crash=memory.mmap/writes@0.5%,drop=*/reply@every')).toEqual({
    seed: 7,
    rules: [
      { action: 'kill', server: 'vfs', call: undefined, phase: undefined, number: 100, probability: 0 },
      { action: 'crash', server: 'memory', call: 'mmap', phase: 'writes', number: undefined, probability: 0.005 },
      { action: 'drop', server: '*', call: undefined, phase: 'reply', number: undefined, probability: 1 },
    ],
  });
});

it.each([
  ['', 'is not NAME=VALUE'],
  ['seed=x,kill=vfs@1', 'a seed is a number'],
  ['seed=1', 'nothing is to happen'],
  ['explode=vfs@1', 'there is no “explode”'],
  ['kill=vfs', 'is not kill=SERVER[.CALL][/PHASE]@WHEN'],
  ['kill=net@1', 'there is no server “net”'],
  ['kill=vfs/after@1', 'kill knows no “after”'],
  ['drop=vfs/before@1', 'drop knows no “before”'],
  ['drop=vfs.read@1', 'does not show'],
  ['kill=vfs.read/recovery@1', 'recovery belongs to none'],
  ['kill=vfs@0', 'says when'],
  ['kill=vfs@101%', 'says when'],
  ['kill=vfs@0%', 'says when'],
])('refuses %j', (spec, reason) => {
  expect(() => parseChaos(spec)).toThrow(reason);
});

/** Deliveries of ten writes each, and what died where. */
const deaths = (spec: string, deliveries: number): string[] => {
  const hook = new Chaos(parseChaos(spec)).hook('vfs');
  const found: string[] = [];
  const reach = (index: number, phase: ChaosPhase): boolean => {
    try {
      hook('write', phase);
      return false;
    } catch (error) {
      found.push(`${index} ${phase} ${error instanceof Killed ? 'killed' : 'crashed'}`);
      return true;
    }
  };
  const phases: ChaosPhase[] = ['before', ...Array<ChaosPhase>(10).fill('writes'), 'after-handler', 'before-reply'];
  for (let i = 1; i <= deliveries; i++) if (phases.some((phase) => reach(i, phase))) reach(i, 'recovery');
  return found;
};

it('kills where and when it was told to, at each phase', () => {
  expect(deaths('kill=vfs/writes@3,crash=vfs.write/before-reply@5,kill=memory@every', 9)).toEqual([
    '3 writes killed',
    '5 before-reply crashed',
  ]);
  expect(deaths('kill=vfs/before@2,kill=vfs/recovery@1', 9)).toEqual(['2 before killed', '2 recovery killed']);
  expect(deaths('kill=vfs.read@every', 9)).toEqual([]);
});

it('does the same with the same seed, something else with another, and reaches every phase', () => {
  const once = deaths('seed=5,kill=*@10%', 1000);
  expect(once).toEqual(deaths('seed=5,kill=*@10%', 1000));
  expect(once).not.toEqual(deaths('seed=6,kill=*@10%', 1000));
  expect(new Set(once.map((line) => line.split(' ')[1])).size).toBe(5);
  expect(once.length).toBeGreaterThan(60);
  expect(once.length).toBeLessThan(200);
});
