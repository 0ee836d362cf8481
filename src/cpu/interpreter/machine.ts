/**
 * A window as TypeScript helpers see it, and the accesses that generated code cannot do inline: they may cross into
 * another page, and any of the two may be a side page of the host or denied.
 */
import { READ_TAGS, STATE, WRITE_TAGS } from '../../memory/layout.ts';
import { Access, type EngineHost, Trap } from '../engine.ts';
import { type Machine, NO_TRAP } from '../helpers.ts';
import { SCRATCH, TRAP_ACCESS, TRAP_ADDRESS } from '../state.ts';

const PAGE = 4096;
const STATE_BYTES = 8192;
const TWO_32 = 0x1_0000_0000;

export class GuestMachine implements Machine {
  readonly state: DataView;
  readonly stateBytes: Uint8Array;
  readonly #tags: Record<'read' | 'write', Int32Array>;
  readonly #buffer: ArrayBufferLike;

  constructor(
    memory: WebAssembly.Memory,
    private readonly host: EngineHost,
  ) {
    const { buffer } = memory;
    this.#buffer = buffer;
    this.state = new DataView(buffer, STATE, STATE_BYTES);
    this.stateBytes = new Uint8Array(buffer, STATE, STATE_BYTES);
    this.#tags = {
      read: new Int32Array(buffer, READ_TAGS, 1 << 20),
      write: new Int32Array(buffer, WRITE_TAGS, 1 << 20),
    };
  }

  readBytes(address: bigint, into: Uint8Array): number {
    return this.#each(address, into.length, Access.Read, (part, at, length) => {
      const target = into.subarray(at, at + length);
      if (!this.#allowed('read', part)) return this.host.sideRead(part, target);
      target.set(this.#window(part, length));
      return true;
    });
  }

  writeBytes(address: bigint, from: Uint8Array): number {
    const probe = this.probeWrite(address, from.length);
    if (probe !== NO_TRAP) return probe;
    return this.#each(address, from.length, Access.Write, (part, at, length) => {
      const source = from.subarray(at, at + length);
      if (!this.#allowed('write', part)) return this.host.sideWrite(part, source);
      this.#window(part, length).set(source);
      return true;
    });
  }

  /** A side page has no probe: its own bytes are read and written back. */
  probeWrite(address: bigint, length: number): number {
    return this.#each(address, length, Access.Write, (part, _at, bytes) => {
      if (this.#allowed('write', part)) return true;
      const same = new Uint8Array(bytes);
      return this.host.sideRead(part, same) && this.host.sideWrite(part, same);
    });
  }

  timestamp(): bigint {
    return this.host.timestamp();
  }

  /** Functions that runtime code imports: data pass through SCRATCH, the result is 0 or a trap. */
  imports(): [string, (address: bigint, bytes: number) => number][] {
    const scratch = (bytes: number): Uint8Array => this.stateBytes.subarray(SCRATCH, SCRATCH + bytes);
    const result = (trap: number): number => (trap === NO_TRAP ? 0 : trap);
    return [
      ['memory.outsideRead', (address, bytes) => result(this.readBytes(address, scratch(bytes)))],
      [
        'memory.outsideReadForWrite',
        (address, bytes) => {
          const trap = this.probeWrite(address, bytes);
          return result(trap === NO_TRAP ? this.readBytes(address, scratch(bytes)) : trap);
        },
      ],
      ['memory.outsideWrite', (address, bytes) => result(this.writeBytes(address, scratch(bytes)))],
      ['memory.outsideProbe', (address, bytes) => result(this.probeWrite(address, bytes))],
    ];
  }

  /** Calls `serve` for the part of the access in each page; records the fault of the first part that is refused. */
  #each(
    address: bigint,
    length: number,
    access: Access,
    serve: (part: number, at: number, length: number) => boolean,
  ): number {
    const start = BigInt.asIntN(64, address);
    const last = start + BigInt(length) - 1n;
    if (start >> 47n !== 0n && start >> 47n !== -1n) return Trap.GeneralProtection;
    if (last >> 47n !== 0n && last >> 47n !== -1n) return Trap.GeneralProtection;
    if (start < 0n) return this.#fault(start, access);
    let at = 0;
    while (at < length) {
      const part = Number(start) + at;
      const bytes = Math.min(length - at, PAGE - (part % PAGE));
      if (!serve(part, at, bytes)) return this.#fault(BigInt(part), access);
      at += bytes;
    }
    return NO_TRAP;
  }

  #allowed(kind: 'read' | 'write', address: number): boolean {
    const tag = this.#tags[kind][Math.floor(address / PAGE) % 0x10_0000];
    return (tag ^ Math.floor(address / TWO_32)) === -1;
  }

  #window(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#buffer, address % TWO_32, length);
  }

  #fault(address: bigint, access: Access): number {
    this.state.setBigInt64(TRAP_ADDRESS, address, true);
    this.state.setInt32(TRAP_ACCESS, access, true);
    return Trap.PageFault;
  }
}
