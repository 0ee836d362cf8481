import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EBADF, EINVAL, EMFILE, Errno } from '../abi/errno.ts';
import { DescriptorTable } from './descriptors.ts';
import { UndoLog } from './store/undo.ts';

const LIMIT = 12;

test('hands out the lowest free descriptor up to the limit', () => {
  const log = new UndoLog();
  const table = new DescriptorTable(() => 3);
  expect([1, 2, 3].map((file) => table.allocate(log, file, 0, false))).toEqual([0, 1, 2]);
  expect(table.allocate(log, 4, 0, false)).toBe(EMFILE);
  expect(table.allocate(log, 4, 3, false)).toBe(EINVAL);
  expect(table.free(log, 1)).toBe(2);
  expect(table.free(log, 1)).toBe(EBADF);
  expect(table.allocate(log, 9, 0, true)).toBe(1);
  expect(table.get(1)).toEqual({ file: 9, closeOnExec: true });
  expect(table.duplicate(log, 0, 3, false)).toBe(EBADF);
  expect(table.duplicate(log, 0, 2, false)).toBe(3);
});

test('behaves as a plain map, with transactions', () => {
  const op = fc.record({
    kind: fc.constantFrom('allocate', 'free', 'duplicate', 'mark'),
    fd: fc.integer({ min: -1, max: LIMIT }),
    other: fc.integer({ min: 0, max: LIMIT }),
  });
  fc.assert(
    fc.property(fc.array(fc.record({ commit: fc.boolean(), ops: fc.array(op, { maxLength: 10 }) })), (script) => {
      const log = new UndoLog();
      const table = new DescriptorTable(() => LIMIT);
      let twin = new Map<number, { file: number; closeOnExec: boolean }>();
      let file = 0;
      for (const { commit, ops } of script) {
        log.begin();
        const saved = new Map(twin);
        for (const { kind, fd, other } of ops) {
          if (kind === 'allocate') {
            const minimum = Math.max(fd, 0);
            let lowest = minimum;
            while (twin.has(lowest)) lowest++;
            const expected = minimum > 0 && minimum >= LIMIT ? EINVAL : lowest >= LIMIT ? EMFILE : lowest;
            expect(table.allocate(log, ++file, minimum, false)).toBe(expected);
            if (!(expected instanceof Errno)) twin.set(expected, { file, closeOnExec: false });
          } else if (kind === 'free') {
            expect(table.free(log, fd)).toBe(twin.get(fd)?.file ?? EBADF);
            twin.delete(fd);
          } else if (kind === 'duplicate') {
            const source = twin.get(fd);
            const refused = source === undefined || other >= LIMIT;
            expect(table.duplicate(log, fd, other, true)).toBe(refused ? EBADF : (twin.get(other)?.file ?? 0));
            if (!refused) twin.set(other, { file: source.file, closeOnExec: true });
          } else {
            const entry = twin.get(fd);
            expect(table.setCloseOnExec(log, fd, true)).toBe(entry === undefined ? EBADF : undefined);
            if (entry !== undefined) twin.set(fd, { ...entry, closeOnExec: true });
          }
        }
        if (commit) log.commit();
        else {
          log.rollback();
          twin = saved;
        }
        expect(table.list()).toEqual([...twin].sort(([a], [b]) => a - b).map(([fd, entry]) => ({ fd, ...entry })));
      }
    }),
    { numRuns: 300 },
  );
});
