/**
 * The memory manager over the kernel's store and real address spaces, with the rest of the kernel left out. `check`
 * compares what the server believes with what the address spaces say, and every derived number with what it is derived from.
 */

import { expect } from 'vitest';
import { type Capabilities, NO_CAPABILITIES, ROOT_CAPABILITIES } from '../../../abi/credentials.ts';
import { Errno, ESRCH, type Result } from '../../../abi/errno.ts';
import { RLIMIT_COUNT, RLIMIT_STACK } from '../../../abi/resource.ts';
import { Access } from '../../../cpu/engine.ts';
import type { Grant } from '../../../ipc/fields.ts';
import type { KernelCalls, ProcessView } from '../../../ipc/kernel-calls.ts';
import type { ReplyOf, RequestOf } from '../../../ipc/protocol.ts';
import type { memoryProtocol } from '../../../ipc/protocols/memory.ts';
import type { ServerContext } from '../../../ipc/server.ts';
import { TransactionalStore } from '../../../kernel/store/store.ts';
import { UndoLog } from '../../../kernel/store/undo.ts';
import { PAGE_SIZE, STACK_TOP, USER_LIMIT, ZONE_START } from '../../../memory/layout.ts';
import { Machine } from '../../../memory/machine.ts';
import type { AddressSpace } from '../../../memory/space.ts';
import { memoryServer } from '../index.ts';
import { isData } from '../regions.ts';
import { backingOf, LOCKED, SHM } from '../rows.ts';
import { createMemoryServer, type MemoryHandlers, type MemoryServer } from '../state.ts';

type Calls = (typeof memoryProtocol)['calls'];

const OBSERVER = { onCodeChange() {}, onCodeReset() {} };

export class Harness {
  readonly log = new UndoLog();
  readonly store = new TransactionalStore(this.log);
  readonly machine = new Machine();
  readonly spaces = new Map<number, AddressSpace>();
  readonly identities = new Map<
    number,
    { euid: number; egid: number; capabilities: Capabilities; limits: [number, number][] }
  >();
  readonly heaps = new Map<number, [number, number]>();
  /** Memory behind grants, by number. */
  readonly grants = new Map<number, Uint8Array>();
  readonly kernelCalls: string[] = [];
  readonly handlers: MemoryHandlers;
  readonly m: MemoryServer;
  now = 1000;

  constructor() {
    const context = this.#context();
    this.handlers = memoryServer.create(context) as MemoryHandlers;
    this.m = createMemoryServer(context);
  }

  /** A process that has executed a small static program. */
  start(pid: number, euid = 1000): void {
    const limits = Array.from({ length: RLIMIT_COUNT }, (): [number, number] => [
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    limits[RLIMIT_STACK] = [8 << 20, Number.POSITIVE_INFINITY];
    const capabilities = euid === 0 ? ROOT_CAPABILITIES : NO_CAPABILITIES;
    this.identities.set(pid, { euid, egid: euid, capabilities, limits });
    this.spaces.set(pid, this.machine.createSpace(OBSERVER));
    const segments = [0x40_0000, 0x3000, 5, 7, 0, 0x40_3000, 0x1000, 3, 7, 0x3000, 0x40_4000, 0x2000, 3, -1, 0];
    const names = ['/bin/a', '/bin/a', ''];
    const reply = this.call('exec', pid, {
      pid,
      segments,
      names,
      stackSize: 0x300,
      stackExecutable: false,
      imageEnd: 0x40_6000,
      heapFollows: false,
      stackTop: STACK_TOP,
      zoneStart: ZONE_START,
      heapGap: 0,
    });
    expect(reply).toEqual({ heapStart: 0x1000_0000 });
  }

  limit(pid: number, resource: number, value: number): void {
    this.identities.get(pid)!.limits[resource][0] = value;
  }

  call<K extends keyof Calls & string>(
    name: K,
    pid: number,
    request: Partial<RequestOf<typeof memoryProtocol, K>>,
  ): ReplyOf<typeof memoryProtocol, K> | Errno {
    this.log.begin();
    const delivery = { caller: { pid, tid: pid }, reason: 'first' as const, state: 0, since: 0 };
    // biome-ignore lint/suspicious/noExplicitAny: the compiler cannot relate a call's name to its request here
    const outcome = (this.handlers[name] as any)(request, delivery);
    this.log.commit();
    this.check();
    return outcome;
  }

  /** The call's result, which must not be an error. */
  ok<K extends keyof Calls & string>(
    name: K,
    pid: number,
    request: Partial<RequestOf<typeof memoryProtocol, K>>,
  ): number {
    const outcome = this.call(name, pid, request);
    if (outcome instanceof Errno) throw new Error(`${name}: ${outcome.name}`);
    return (outcome as { result: number }).result;
  }

  /** mmap of anonymous private memory, or of what `more` says. */
  mmap(pid: number, length: number, more: Partial<RequestOf<typeof memoryProtocol, 'mmap'>> = {}): number | Errno {
    const request = { addr: 0, length, protection: 3, flags: 0x22, object: -1, size: 0, offset: 0, name: '', ...more };
    const outcome = this.call('mmap', pid, request);
    return outcome instanceof Errno ? outcome : outcome.result;
  }

  grant(length: number): Grant {
    const id = this.grants.size + 1;
    this.grants.set(id, new Uint8Array(length));
    return { id, length };
  }

  /** Start, end, protection and name of every region. */
  regions(pid: number): [number, number, number, string][] {
    return this.m.regions.range(pid).map(([start, r]) => [start, start + r.length, r.prot, r.name]);
  }

  /** Byte at an address as the process reads it. */
  peek(pid: number, address: number): number | string {
    const space = this.spaces.get(pid)!;
    const one = new Uint8Array(1);
    return space.read(address, one) === 1 ? one[0] : space.stopped!.kind;
  }

  poke(pid: number, address: number, value: number): string | undefined {
    const space = this.spaces.get(pid)!;
    return space.write(address, new Uint8Array([value])) === 1 ? undefined : space.stopped!.kind;
  }

  check(): void {
    const attached = new Map<number, number>();
    for (const pid of this.m.processes.keys()) {
      const process = this.m.processes.get(pid)!;
      const rows = this.m.regions.range(pid);
      const pages = new Map<number, string>();
      const totals = [0, 0, 0];
      let end = 0;
      const gaps = new Map<number, number>();
      let free = ZONE_START;
      for (const [start, region] of rows) {
        if (start < end || region.length <= 0) throw new Error('regions overlap');
        end = start + region.length;
        totals[0] += region.length;
        if (isData(region.prot, region.flags)) totals[1] += region.length;
        if ((region.flags & LOCKED) !== 0) totals[2] += region.length;
        if ((region.flags & SHM) !== 0) attached.set(region.object, (attached.get(region.object) ?? 0) + 1);
        if (start > free && free < process.zoneEnd) gaps.set(free, Math.min(start, process.zoneEnd));
        free = Math.max(free, end);
        pages.set(start, `${end} ${region.prot} ${JSON.stringify(backingOf(region))} ${region.name}`);
      }
      if (free < process.zoneEnd) gaps.set(free, process.zoneEnd);
      expect([process.virtualBytes, process.dataBytes, process.lockedBytes]).toEqual(totals);
      const known = new Map(
        this.m.gaps.range(pid).map(([key]) => {
          const start = 0x7000_0000_0000 + (key % 0x10_0000) * PAGE_SIZE;
          return [start, start + Math.floor(key / 0x10_0000) * PAGE_SIZE] as const;
        }),
      );
      expect(new Map([...known].sort())).toEqual(new Map([...gaps].sort()));
      this.#compare(pid);
    }
    for (const [, segment] of this.m.segments.entries())
      expect(segment.attached).toBe(attached.get(segment.object) ?? 0);
  }

  /** The address space maps what the rows say, boundary by boundary. */
  #compare(pid: number): void {
    const cuts = new Set<number>();
    const rows = this.m.regions.range(pid);
    const space = this.spaces.get(pid)!;
    for (const [start, region] of rows) cuts.add(start).add(start + region.length);
    for (const { start, end } of space.mappings()) cuts.add(start).add(end);
    for (const at of cuts) {
      const row = this.m.regions.floor(pid, at);
      const mapping = space.mappingAt(at);
      const here = row !== undefined && at < row[0] + row[1].length ? row : undefined;
      const shift = (start: number, backing: { kind: string; offset?: number }) =>
        backing.kind === 'zero' ? backing : { ...backing, offset: backing.offset! + (at - start) };
      const believed = here && [here[1].prot, here[1].name, shift(here[0], backingOf(here[1]))];
      const real = mapping && [mapping.protection, mapping.name, shift(mapping.start, mapping.backing)];
      expect(believed, `pid ${pid} at ${at.toString(16)}`).toEqual(real);
    }
  }

  #context(): ServerContext {
    const on = (pid: number, effect: (space: AddressSpace) => void): Result<void> => {
      const space = this.spaces.get(pid);
      if (space === undefined) return ESRCH;
      effect(space);
    };
    const kernel: Partial<KernelCalls> = {
      process: (pid) => {
        const identity = this.identities.get(pid);
        return identity === undefined ? ESRCH : ({ ...identity, groups: [], pid } as unknown as ProcessView);
      },
      log: (line) => void this.kernelCalls.push(line),
      mapPages: (pid, start, length, protection, backing, name) =>
        on(pid, (space) => space.map(start, length, protection, backing, name)),
      unmapPages: (pid, start, length) => on(pid, (space) => space.unmap(start, length)),
      changeProtection: (pid, start, length, protection) =>
        on(pid, (space) => space.protect(start, length, protection)),
      movePages: (pid, from, to, length) => on(pid, (space) => space.move(from, to, length)),
      discardPages: (pid, start, length) => on(pid, (space) => space.discard(start, length)),
      populatePages: (pid, start, length) =>
        on(pid, (space) => {
          for (let at = start; at < start + length; at += PAGE_SIZE)
            space.fault(at, (space.mappingAt(at)!.protection & 2) !== 0 ? Access.Write : Access.Read);
        }),
      residentPages: (pid, start, length) => this.spaces.get(pid)?.resident(start, length) ?? ESRCH,
      syncPages: (pid, start, length) => void this.kernelCalls.push(`sync ${pid} ${start} ${length}`),
      forkMemory: (parent, child) => {
        this.spaces.set(child, this.spaces.get(parent)!.fork(OBSERVER));
        this.identities.set(child, this.identities.get(parent)!);
      },
      shareMemory: (parent, child) => {
        this.spaces.set(child, this.spaces.get(parent)!);
        this.identities.set(child, this.identities.get(parent)!);
      },
      leaveMemory: (pid) => {
        const space = this.spaces.get(pid);
        if (space === undefined) return ESRCH;
        if ([...this.spaces.values()].filter((other) => other === space).length === 1) space.unmap(0, USER_LIMIT);
        else this.spaces.set(pid, this.machine.createSpace(OBSERVER));
      },
      setHeap: (pid, start, end) => void this.heaps.set(pid, [start, end]),
      createShared: (bytes) => this.machine.objects.create(bytes),
      releaseShared: (object) => void this.machine.objects.release(object),
    };
    return {
      store: this.store,
      kernel: kernel as KernelCalls,
      now: () => this.now * 1e9,
      realtime: () => ({ seconds: this.now, nanoseconds: 0 }),
      copyIn: (grant, offset, length) => this.grants.get(grant.id)!.slice(offset, offset + length),
      copyOut: (grant, offset, bytes, length = bytes.length) => {
        this.grants.get(grant.id)!.set(bytes.subarray(0, length), offset);
        return length;
      },
      wake() {},
      random: (length) => new Uint8Array(length),
    };
  }
}
