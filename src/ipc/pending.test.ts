import fc from 'fast-check';
import { expect, it } from 'vitest';
import { codecOf } from './codec.ts';
import { PendingRequest, PendingTable, RequestDelivery } from './pending.ts';
import { wait } from './server.ts';
import { toyProtocol } from './toy.ts';

const ping = codecOf(toyProtocol).call('ping')!;
const request = (token: number): PendingRequest =>
  new PendingRequest(token, ping, [], new RequestDelivery({ pid: 1, tid: 1 }, () => 0));

it('surfaces deadlines in order, without those of ended sleeps', () => {
  const operation = fc.tuple(fc.constantFrom('sleep', 'wake', 'due'), fc.nat(15), fc.nat(1000));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 400 }), (operations) => {
      const table = new PendingTable();
      const requests = Array.from({ length: 16 }, (_, i) => request(i));
      for (const entry of requests) table.add(entry);
      const model = new Map<number, number>();
      for (const [what, index, time] of operations) {
        if (what === 'due') {
          const earliest = Math.min(...model.values());
          const due = table.due(time);
          if (earliest > time) expect(due).toBeUndefined();
          else {
            expect(model.get(due?.token ?? -1)).toBe(earliest);
            table.detach(due!);
            model.delete(due!.token);
          }
        } else {
          table.detach(requests[index]);
          model.delete(index);
          if (what === 'sleep') {
            table.sleep(requests[index], wait([`c${index % 3}`], { deadline: time }));
            model.set(index, time);
          }
        }
        expect(table.nextDeadline()).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
      }
    }),
  );
});

it('keeps the place of one that waits again for the same, and gives a new one for another', () => {
  const table = new PendingTable();
  const [a, b, c] = [1, 2, 3].map(request);
  for (const entry of [a, b, c]) {
    table.add(entry);
    table.sleep(entry, wait(['x']));
  }
  table.detach(a);
  expect(table.waiters('x')).toEqual([b, c]);
  table.sleep(a, wait(['x']));
  expect(table.waiters('x')).toEqual([a, b, c]);
  table.detach(b);
  table.sleep(b, wait(['y', 'x']));
  expect(table.waiters('x')).toEqual([a, c, b]);
  expect(table.waiters('y')).toEqual([b]);
  table.remove(b);
  expect(table.waiters('y')).toEqual([]);
  expect(table.get(2)).toBeUndefined();
});
