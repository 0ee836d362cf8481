import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EDEADLK } from '../abi/errno.ts';
import { WaitGraph } from './deadlock.ts';

describe('wait-for graph', () => {
  it('refuses the edge that closes a cycle, of any length', () => {
    const graph = new WaitGraph();
    expect(graph.wait(1, 1)).toBe(EDEADLK);
    for (let i = 1; i < 50; i++) expect(graph.wait(i, i + 1)).toBeUndefined();
    expect(graph.wait(50, 1)).toBe(EDEADLK);
    expect(graph.wait(50, 30)).toBe(EDEADLK);
    expect(graph.size).toBe(49);
    graph.release(20);
    expect(graph.wait(50, 1)).toBeUndefined();
    expect(graph.chain(48)).toEqual([49, 50, ...Array.from({ length: 20 }, (_, i) => i + 1)]);
    expect(graph.wait(20, 21)).toBe(EDEADLK);
  });

  it('agrees with a search of the whole graph', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(7), fc.nat(7)), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (edges) => {
        const graph = new WaitGraph();
        const model = new Map<number, number>();
        for (const [add, from, to] of edges) {
          if (!add || model.has(from)) {
            graph.release(from);
            model.delete(from);
            continue;
          }
          const reachable = new Set<number>([to]);
          for (let grown = true; grown; ) {
            grown = false;
            for (const [a, b] of model)
              if (reachable.has(a) && !reachable.has(b)) {
                reachable.add(b);
                grown = true;
              }
          }
          const closes = reachable.has(from);
          expect(graph.wait(from, to)).toBe(closes ? EDEADLK : undefined);
          if (!closes) model.set(from, to);
        }
        expect(graph.size).toBe(model.size);
      }),
    );
  });
});
