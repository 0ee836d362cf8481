import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildStack } from './stack.ts';

const TOP = 0x7fff_fe00_0000;
const text = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 40,
});

test('a program finds its arguments, environment and auxiliary vector', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), fc.array(text), text, (argv, envp, execfn) => {
      const random = new Uint8Array(16).fill(0xab);
      const stack = buildStack(TOP, {
        argv,
        envp,
        execfn,
        random,
        auxv: ({ random: at, platform, execfn: name }) => [
          [25, at],
          [15, platform],
          [31, name],
        ],
      });
      const { bytes, pointer } = stack;
      expect(pointer % 16).toBe(0);
      expect(pointer + bytes.length).toBe(TOP);
      const view = new DataView(bytes.buffer);
      let at = 0;
      const word = (): number => Number(view.getBigUint64((at += 8) - 8, true));
      const string = (address: number): string => {
        const start = address - pointer;
        return String.fromCharCode(...bytes.subarray(start, bytes.indexOf(0, start)));
      };
      expect(word()).toBe(argv.length);
      const strings = (): string[] => {
        const found: string[] = [];
        for (let address = word(); address !== 0; address = word()) found.push(string(address));
        return found;
      };
      const first = Number(view.getBigUint64(8, true));
      expect(strings()).toEqual(argv);
      expect(strings()).toEqual(envp);
      const auxv = new Map<number, number>();
      for (let type = word(); type !== 0; type = word()) auxv.set(type, word());
      expect(word()).toBe(0);
      expect(string(auxv.get(31)!)).toBe(execfn);
      expect(string(auxv.get(15)!)).toBe('x86_64');
      const seed = auxv.get(25)! - pointer;
      expect(bytes.subarray(seed, seed + 16)).toEqual(random);
      expect(at).toBeLessThanOrEqual(seed);
      expect(stack.argumentsStart).toBe(first);
      expect(stack.argumentsEnd - stack.argumentsStart).toBe(argv.reduce((sum, one) => sum + one.length + 1, 0));
      expect(stack.environmentEnd - stack.environmentStart).toBe(envp.reduce((sum, one) => sum + one.length + 1, 0));
    }),
  );
});
