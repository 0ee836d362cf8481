/** What one run keeps, the next one uses: simulated by loading the modules anew around the same cache. */
import { expect, test, vi } from 'vitest';

const CODE = 0x40_0000;
// mov ecx, 1000000; loop: add rax, rcx; dec ecx; jnz loop; int3
const SUM = [0xb9, 0x40, 0x42, 0x0f, 0, 0x48, 0x01, 0xc8, 0xff, 0xc9, 0x75, 0xf9, 0xcc];

class Memory {
  readonly files = new Map<string, Uint8Array>();
  load(name: string): Uint8Array | undefined {
    return this.files.get(name);
  }
  save(name: string, bytes: Uint8Array): void {
    this.files.set(name, bytes);
  }
}

/** One start of the engine with this cache: what it counted. */
const start = async (place: Memory, code = SUM): Promise<{ translated: number; loaded: number; result: bigint }> => {
  vi.resetModules();
  const { bareWindow } = await import('../interpreter/bare-window.ts');
  const { jitTier } = await import('./tier.ts');
  const { saveUnits, useCache } = await import('./cache.ts');
  const { UNITS } = await import('./store.ts');
  useCache(place);
  const w = bareWindow(jitTier({ hot: 2 }));
  w.protect(CODE, 0x1000, 'rx');
  w.write(CODE, code);
  w.cpu.setGpr(0, 0n);
  for (let trap = w.start(CODE, 5000); trap === 0; ) trap = w.engine.run(20_000);
  saveUnits();
  const { translated, loaded } = UNITS.counters;
  return { translated, loaded, result: w.cpu.gpr(0) };
};

test('the next start of the same program translates nothing', { timeout: 60_000 }, async () => {
  const place = new Memory();
  expect(await start(place)).toMatchObject({ loaded: 0, result: 500000500000n });
  expect(place.files.size).toBe(2);
  const again = await start(place);
  expect(again).toMatchObject({ translated: 0, result: 500000500000n });
  expect(again.loaded).toBeGreaterThan(0);
});

test('other code at the same address is translated', { timeout: 60_000 }, async () => {
  const place = new Memory();
  await start(place);
  const other = SUM.slice();
  other[6] = 0x29;
  const { translated, loaded, result } = await start(place, other);
  expect(loaded).toBe(0);
  expect(translated).toBeGreaterThan(0);
  expect(BigInt.asIntN(64, result)).toBe(-500000500000n);
});

test('a unit whose handlers have other numbers is left alone', { timeout: 60_000 }, async () => {
  const place = new Memory();
  await start(place);
  for (const [name, bytes] of place.files) {
    if (name === 'handlers') continue;
    // The variant of the first handler, in the text in front.
    const text = new TextDecoder('latin1')
      .decode(bytes)
      .replace(/("handlers":\[\[\d+,\d*)(\d)/, (_all, head: string, digit: string) => {
        return head + String((Number(digit) + 1) % 10);
      });
    place.files.set(
      name,
      Uint8Array.from(text, (character) => character.charCodeAt(0)),
    );
  }
  const { translated, loaded, result } = await start(place);
  expect(loaded).toBe(0);
  expect(translated).toBeGreaterThan(0);
  expect(result).toBe(500000500000n);
});
