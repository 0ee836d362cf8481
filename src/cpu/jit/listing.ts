/**
 * A listing of the regions in which the most instructions were executed: guest assembly, and below each instruction the
 * WebAssembly it became. Entry point: `hottest`.
 */
import { codeSection, functionText } from '../../wasm/text.ts';
import { decode, Instruction, Status } from '../decode/decoder.ts';
import { disassembleBytes } from '../disassembler.ts';
import { UNITS } from './store.ts';
import type { Unit } from './unit.ts';

const LONGEST = 15;

/** Bytes of a guest instruction, from the unit's copy of the code. */
function bytesAt({ spans }: Unit, rip: number): Uint8Array {
  for (const { address, bytes } of spans) {
    if (rip >= address && rip < address + bytes.length) return bytes.subarray(rip - address);
  }
  return new Uint8Array(0);
}

/** One guest instruction as text, and its length. */
function guestText(unit: Unit, rip: number): { text: string; length: number } {
  const bytes = bytesAt(unit, rip);
  const padded = new Uint8Array(bytes.length + LONGEST);
  padded.set(bytes);
  const d = new Instruction();
  const length = decode(padded, 0, padded.length, d) === Status.Ok ? d.length : 1;
  return { text: `${rip.toString(16).padStart(12)}  ${disassembleBytes(bytes.subarray(0, length), rip)}`, length };
}

/** The guest's instructions alone, in the order of addresses. */
function* guestLines(unit: Unit): Generator<string> {
  for (const { address, bytes } of unit.spans) {
    for (let at = 0; at < bytes.length; ) {
      const { text, length } = guestText(unit, address + at);
      yield text;
      at += length;
    }
  }
}

function* listUnit(unit: Unit): Generator<string> {
  const { imports, bodies } = codeSection(unit.wasm);
  // The stubs of the entries stand first, then the region.
  const body = bodies[unit.entries.length];
  const own = ['', ...unit.entries.map((_address, i) => `entry.${i}`)].slice(1);
  const nameOf = (index: number): string =>
    imports[index] ?? (own[index - imports.length] || `function ${index - imports.length}`);
  if (unit.marks.length === 0) yield* guestLines(unit);
  let mark = 0;
  for (const { at, text } of functionText(body, nameOf)) {
    for (; mark < unit.marks.length && unit.marks[mark] <= at; mark += 2)
      yield guestText(unit, unit.marks[mark + 1]).text;
    yield `                  ${text}`;
  }
}

/** Lines about the `count` regions that weigh most. */
export function* hottest(count: number): Generator<string> {
  const { counters } = UNITS;
  const all = counters.translatedShare + counters.interpretedShare;
  const units = [...UNITS.units()].filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight);
  yield `${units.length} of ${[...UNITS.units()].length} translations were seen executing; share of sampled instructions:`;
  for (const { root, weight, size, wasm } of units.slice(0, count)) {
    const share = ((100 * weight) / all).toFixed(1).padStart(5);
    yield `  ${share} %  ${root.toString(16)}  ${size} instructions, ${wasm.length} bytes of WebAssembly`;
  }
  for (const unit of units.slice(0, count)) {
    yield '';
    yield `── ${unit.root.toString(16)}: entries ${unit.entries.map((entry) => entry.toString(16)).join(' ')} ──`;
    yield* listUnit(unit);
  }
}
