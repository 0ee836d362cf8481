import { describe, expect, it } from 'vitest';
import { EFAULT, EPERM } from '../abi/errno.ts';
import { Grants } from './grants.ts';
import type { Server } from './server-slot.ts';
import { UndoLog } from './store/undo.ts';

const server = { name: 'vfs' } as Server;
const other = { name: 'process' } as Server;

const make = () => {
  const log: string[] = [];
  return { grants: new Grants(new UndoLog(), (line) => log.push(line)), log };
};

describe('grants', () => {
  it('copy within their range, in their direction, for their server', () => {
    const { grants, log } = make();
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const grant = grants.ofBytes(server, bytes, 'in');
    expect(grants.copyIn(server, grant, 1, 2)).toEqual(Uint8Array.of(2, 3));
    expect(grants.copyIn(server, grant, 3, 2)).toBe(EFAULT);
    expect(grants.copyIn(server, grant, -1, 2)).toBe(EFAULT);
    expect(grants.copyIn(other, grant, 0, 1)).toBe(EPERM);
    expect(grants.copyOut(server, grant, 0, bytes)).toBe(EPERM);
    expect(log.length).toBe(4);
    const filled = grants.ofBytes(server, bytes, 'out');
    expect(grants.copyOut(server, filled, 2, Uint8Array.of(9, 8, 7), 2)).toBe(2);
    expect(grants.copyOut(server, filled, 3, Uint8Array.of(9, 8), 2)).toBe(EFAULT);
    expect([...bytes]).toEqual([1, 2, 9, 8]);
  });

  it('are worth nothing once released, though their place is taken again', () => {
    const { grants } = make();
    const first = grants.ofBytes(server, Uint8Array.of(1), 'both');
    const second = grants.ofBytes(server, Uint8Array.of(2), 'both');
    grants.release(first.id);
    expect(grants.size).toBe(1);
    for (let i = 0; i < 4000; i++) {
      const next = grants.ofBytes(server, Uint8Array.of(3), 'both');
      expect(grants.copyIn(server, first, 0, 1)).toBe(EPERM);
      expect(grants.copyIn(server, next, 0, 1)).toEqual(Uint8Array.of(3));
      // A stale number lets go of nothing either.
      grants.release(first.id);
      expect(grants.size).toBe(2);
      grants.release(next.id);
    }
    expect(grants.copyIn(server, second, 0, 1)).toEqual(Uint8Array.of(2));
    for (const id of [0, -1, 2 ** 31, 12345]) expect(grants.copyIn(server, { id, length: 1 }, 0, 1)).toBe(EPERM);
  });
});
