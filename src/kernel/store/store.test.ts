/** The store against an obvious twin: plain maps that are copied whole at `begin` and put back at `rollback`. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TransactionalStore } from './store.ts';
import { UndoLog } from './undo.ts';

interface Row {
  value: number;
}

/** A whole-copy transaction over any JSON-like state. */
class Twin<S> {
  #saved: S | undefined;
  constructor(
    public state: S,
    readonly copy: (state: S) => S,
  ) {}
  begin(): void {
    this.#saved = this.copy(this.state);
  }
  rollback(): void {
    this.state = this.#saved as S;
  }
}

type Transaction = { commit: boolean };
const transactions = <Op>(op: fc.Arbitrary<Op>): fc.Arbitrary<(Transaction & { ops: Op[] })[]> =>
  fc.array(fc.record({ commit: fc.boolean(), ops: fc.array(op, { maxLength: 12 }) }), { maxLength: 12 });

const drive = <Op, S>(
  log: UndoLog,
  twin: Twin<S>,
  script: (Transaction & { ops: Op[] })[],
  apply: (op: Op) => void,
  compare: () => void,
): void => {
  for (const { commit, ops } of script) {
    log.begin();
    twin.begin();
    for (const op of ops) apply(op);
    compare();
    if (commit) log.commit();
    else {
      log.rollback();
      twin.rollback();
    }
    compare();
  }
};

const key = fc.integer({ min: 0, max: 7 });

test('a table behaves as a map that is copied whole', () => {
  const op = fc.record({ kind: fc.constantFrom('set', 'edit', 'delete', 'mutate'), key, value: fc.nat(99) });
  fc.assert(
    fc.property(transactions(op), (script) => {
      const log = new UndoLog();
      const table = new TransactionalStore(log).table<number, Row>('t');
      const twin = new Twin(new Map<number, Row>(), (m) => new Map([...m].map(([k, v]) => [k, { ...v }])));
      let held: { row: Row; twin: Row } | undefined;
      drive(
        log,
        twin,
        script,
        ({ kind, key, value }) => {
          if (kind === 'set') {
            table.set(key, { value });
            twin.state.set(key, { value });
          } else if (kind === 'delete') expect(table.delete(key)).toBe(twin.state.delete(key));
          else if (kind === 'edit') {
            const row = table.edit(key);
            const other = twin.state.get(key);
            expect(row === undefined).toBe(other === undefined);
            if (row === undefined || other === undefined) return;
            row.value = other.value = value;
            held = { row, twin: other };
          } else if (held !== undefined && table.get(key) === held.row && log.active) {
            const again = table.edit(key)!;
            const other = twin.state.get(key)!;
            again.value = other.value = value;
          }
        },
        () => {
          expect([...table.entries()]).toEqual([...twin.state]);
          expect([...table.keys()]).toEqual([...twin.state.keys()]);
          expect(table.size).toBe(twin.state.size);
        },
      );
    }),
    { numRuns: 500 },
  );
});

test('a row that `get` returned does not change when the row is edited', () => {
  const log = new UndoLog();
  const table = new TransactionalStore(log).table<number, Row>('t');
  table.set(1, { value: 1 });
  log.begin();
  const before = table.get(1)!;
  const row = table.edit(1)!;
  row.value = 2;
  expect(before.value).toBe(1);
  expect(table.edit(1)).toBe(row);
  log.rollback();
  expect(table.get(1)).toBe(before);
});

test('a sorted table behaves as sorted lists that are copied whole', () => {
  const op = fc.record({
    kind: fc.constantFrom('set', 'edit', 'delete', 'copy', 'clear', 'write'),
    partition: fc.integer({ min: 0, max: 2 }),
    other: fc.integer({ min: 0, max: 2 }),
    key,
    value: fc.nat(99),
  });
  type State = Map<number, Map<number, Row>>;
  const copyRows = (rows: Map<number, Row> | undefined): Map<number, Row> =>
    new Map([...(rows ?? [])].map(([k, v]) => [k, { ...v }]));
  fc.assert(
    fc.property(transactions(op), (script) => {
      const log = new UndoLog();
      const table = new TransactionalStore(log).sorted<Row>('s');
      const twin = new Twin<State>(new Map(), (m) => new Map([...m].map(([k, v]) => [k, copyRows(v)])));
      let held: { row: Row; twin: Row } | undefined;
      drive(
        log,
        twin,
        script.map((entry) => ({ ...entry, ops: [{ kind: 'forget' } as never, ...entry.ops] })),
        ({ kind, partition, other, key, value }) => {
          const rows = twin.state.get(partition) ?? new Map<number, Row>();
          twin.state.set(partition, rows);
          if ((kind as string) === 'forget') held = undefined;
          else if (kind === 'set') {
            table.set(partition, key, { value });
            rows.set(key, { value });
          } else if (kind === 'delete') expect(table.delete(partition, key)).toBe(rows.delete(key));
          else if (kind === 'edit') {
            const row = table.edit(partition, key);
            const twinRow = rows.get(key);
            expect(row === undefined).toBe(twinRow === undefined);
            if (row === undefined || twinRow === undefined) return;
            row.value = twinRow.value = value;
            held = { row, twin: twinRow };
          } else if (kind === 'copy') {
            table.copy(partition, other);
            if (partition !== other) twin.state.set(other, copyRows(rows));
          } else if (kind === 'clear') {
            table.clear(partition);
            twin.state.delete(partition);
          } else if (held !== undefined) held.row.value = held.twin.value = value;
        },
        () => {
          for (let partition = 0; partition < 3; partition++) {
            const sorted = [...(twin.state.get(partition) ?? [])].sort(([a], [b]) => a - b);
            expect(table.range(partition)).toEqual(sorted);
            expect(table.range(partition, 2, 5)).toEqual(sorted.filter(([k]) => k >= 2 && k < 5));
            expect(table.count(partition)).toBe(sorted.length);
            for (let probe = -1; probe <= 8; probe++) {
              expect(table.floor(partition, probe)).toEqual(sorted.findLast(([k]) => k <= probe));
              expect(table.ceiling(partition, probe)).toEqual(sorted.find(([k]) => k >= probe));
              expect(table.get(partition, probe)).toEqual(sorted.find(([k]) => k === probe)?.[1]);
            }
          }
        },
      );
    }),
    { numRuns: 150 },
  );
});

test('contents behave as byte arrays that are copied whole', () => {
  const offset = fc.oneof(fc.nat(12300), fc.constantFrom(0, 4095, 4096, 4097, 8191, 8192));
  const op = fc.record({
    kind: fc.constantFrom('write', 'truncate', 'delete'),
    file: fc.integer({ min: 1, max: 2 }),
    offset,
    length: fc.oneof(fc.nat(20), fc.constantFrom(0, 4096, 5000)),
    byte: fc.integer({ min: 1, max: 255 }),
  });
  fc.assert(
    fc.property(transactions(op), (script) => {
      const log = new UndoLog();
      const contents = new TransactionalStore(log).contents('c');
      const twin = new Twin(new Map<number, Uint8Array>(), (m) => new Map([...m].map(([k, v]) => [k, v.slice()])));
      const grown = (file: number, size: number): Uint8Array => {
        const bytes = new Uint8Array(size);
        const old = twin.state.get(file);
        if (old !== undefined) bytes.set(old.subarray(0, size));
        return bytes;
      };
      drive(
        log,
        twin,
        script,
        ({ kind, file, offset, length, byte }) => {
          if (kind === 'write') {
            const data = new Uint8Array(length).fill(byte);
            contents.write(file, offset, data);
            const size = twin.state.get(file)?.length ?? 0;
            const bytes = grown(file, length === 0 ? size : Math.max(size, offset + length));
            if (length > 0) bytes.set(data, offset);
            twin.state.set(file, bytes);
          } else if (kind === 'truncate') {
            contents.truncate(file, offset);
            twin.state.set(file, grown(file, offset));
          } else {
            contents.delete(file);
            twin.state.delete(file);
          }
        },
        () => {
          for (let file = 1; file <= 2; file++) {
            const bytes = twin.state.get(file) ?? new Uint8Array(0);
            expect(contents.size(file)).toBe(bytes.length);
            const into = new Uint8Array(bytes.length + 10).fill(7);
            expect(contents.read(file, 0, into)).toBe(bytes.length);
            expect(Buffer.compare(into.subarray(0, bytes.length), bytes)).toBe(0);
            const part = new Uint8Array(100);
            const count = contents.read(file, 4050, part);
            expect(count).toBe(Math.max(0, Math.min(100, bytes.length - 4050)));
            expect(Buffer.compare(part.subarray(0, count), bytes.subarray(4050, 4050 + count))).toBe(0);
          }
        },
      );
    }),
    { numRuns: 300 },
  );
});

test('a hole takes no memory and pages past the end are given back', () => {
  const contents = new TransactionalStore(new UndoLog()).contents('c');
  contents.write(1, 1 << 30, Uint8Array.of(1));
  expect(contents.size(1)).toBe((1 << 30) + 1);
  expect(contents.allocated(1)).toBe(4096);
  contents.truncate(1, 5);
  expect(contents.allocated(1)).toBe(0);
});

test('a sequence goes back with its transaction', () => {
  const log = new UndoLog();
  const sequence = new TransactionalStore(log).sequence('n');
  expect(sequence.next()).toBe(1);
  log.begin();
  expect(sequence.next()).toBe(2);
  log.rollback();
  expect(sequence.last).toBe(1);
  expect(sequence.next()).toBe(2);
});

test('effects run after commit and not after rollback', () => {
  const log = new UndoLog();
  const seen: string[] = [];
  log.begin();
  log.afterCommit(() => seen.push('kept'));
  expect(seen).toEqual([]);
  log.commit();
  log.begin();
  log.afterCommit(() => seen.push('dropped'));
  log.rollback();
  log.afterCommit(() => seen.push('at once'));
  expect(seen).toEqual(['kept', 'at once']);
});

test('the same name gives the same table to the next instance', () => {
  const store = new TransactionalStore(new UndoLog());
  store.table<number, Row>('t').set(1, { value: 3 });
  expect(store.table<number, Row>('t').get(1)).toEqual({ value: 3 });
  expect(store.table<number, Row>('u').size).toBe(0);
});
