/**
 * A window without an operating system, for tests and measurements of engines: pages are allowed by hand, code is given as
 * bytes, traps come back to the caller.
 *
 * Entry point: `bareWindow`.
 */
import { EXECUTE_TAGS, PAGE_SIZE, READ_TAGS, WINDOW_SIZE, WRITE_TAGS } from '../../memory/layout.ts';
import { CpuState } from '../cpu-state.ts';
import type { Engine, EngineHost, Trap } from '../engine.ts';
import { Interpreter } from './engine.ts';
import type { TierFactory } from './tier.ts';

const TWO_32 = 0x1_0000_0000;

export interface BareWindow {
  readonly memory: WebAssembly.Memory;
  readonly engine: Engine;
  readonly cpu: CpuState;
  /** Pages the engine reported as translated. */
  readonly translated: Set<number>;
  /** Pages that live outside the window, by address. */
  readonly side: Map<number, Uint8Array>;
  /** Sets the permissions of all pages that [address, address + length) touches: any of `r`, `w`, `x`. */
  protect(address: number, length: number, permissions: string): void;
  bytes(address: number, length: number): Uint8Array;
  /** Writes code or data, whatever the permissions. */
  write(address: number, bytes: ArrayLike<number>): void;
  /** Runs from an address. */
  start(address: number, budget?: number): Trap;
}

export function bareWindow(
  tier?: TierFactory,
  create: (memory: WebAssembly.Memory, host: EngineHost) => Engine = (memory, host) =>
    new Interpreter(memory, host, tier),
): BareWindow {
  const memory = new WebAssembly.Memory({
    initial: WINDOW_SIZE / 65536,
    maximum: WINDOW_SIZE / 65536,
    shared: true,
  });
  const tables = { r: READ_TAGS, w: WRITE_TAGS, x: EXECUTE_TAGS };
  const tags = Object.entries(tables).map(
    ([letter, offset]) => [letter, new Int32Array(memory.buffer, offset, 1 << 20)] as const,
  );
  const translated = new Set<number>();
  const side = new Map<number, Uint8Array>();
  const sidePart = (address: number, length: number): Uint8Array | undefined => {
    const offset = address % PAGE_SIZE;
    return side.get(address - offset)?.subarray(offset, offset + length);
  };
  const host: EngineHost = {
    codeTranslated: (page) => void translated.add(page),
    sideRead: (address, into) => {
      const part = sidePart(address, into.length);
      if (part === undefined) return false;
      into.set(part);
      return true;
    },
    sideWrite: (address, from) => {
      const part = sidePart(address, from.length);
      part?.set(from);
      return part !== undefined;
    },
    timestamp: () => 0x1_2345_6789n,
  };
  const engine = create(memory, host);
  const cpu = new CpuState(memory);
  cpu.reset();
  const bytes = (address: number, length: number): Uint8Array =>
    new Uint8Array(memory.buffer, address % TWO_32, length);
  return {
    memory,
    engine,
    cpu,
    translated,
    side,
    protect(address, length, permissions) {
      for (let page = Math.floor(address / PAGE_SIZE); page * PAGE_SIZE < address + length; page++) {
        for (const [letter, table] of tags) {
          table[page % 0x10_0000] = permissions.includes(letter) ? ~Math.floor(page / 0x10_0000) : 0;
        }
      }
    },
    bytes,
    write: (address, data) => bytes(address, data.length).set(data),
    start(address, budget = 1000) {
      cpu.rip = address;
      return engine.run(budget);
    },
  };
}
