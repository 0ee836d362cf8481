/**
 * Wires the servers to the kernel: each gets a store, a port, and through its context the kernel calls that the policy
 * allows it. All share one undo log, so a rollback takes back rows and kernel calls alike.
 */
import type { Errno } from '../abi/errno.ts';
import { FrameArena } from '../ipc/frame.ts';
import { KeyPair } from '../ipc/handshake.ts';
import { createInlinePort } from '../ipc/inline-port.ts';
import { IpcLog } from '../ipc/log.ts';
import type { PortHost } from '../ipc/port.ts';
import { Sealing } from '../ipc/seal/end.ts';
import type { FaultPending, ServerContext } from '../ipc/server.ts';
import { PageNeeded } from './guest-memory.ts';
import type { Kernel } from './kernel.ts';
import { kernelCallsFor } from './kernel-calls/index.ts';
import { WritebackNeeded } from './kernel-calls/memory.ts';
import { Server } from './server-slot.ts';
import { TransactionalStore } from './store/store.ts';
import { Thread } from './thread.ts';

class Host implements PortHost {
  readonly #kernel: Kernel;
  readonly #server: Server;

  constructor(kernel: Kernel, server: Server) {
    this.#kernel = kernel;
    this.#server = server;
  }

  begin(): void {
    this.#kernel.undo.begin();
  }

  commit(): void {
    this.#kernel.undo.commit();
  }

  rollback(): void {
    this.#kernel.undo.rollback();
  }

  createContext(wake: (channel: string) => void): ServerContext {
    const kernel = this.#kernel;
    const server = this.#server;
    return {
      store: server.store,
      kernel: kernelCallsFor(kernel, server),
      now: () => kernel.now(),
      realtime: () => kernel.realtime(),
      copyIn: (grant, offset, length) => kernel.grants.copyIn(server, grant, offset, length),
      copyOut: (grant, offset, bytes, length) => kernel.grants.copyOut(server, grant, offset, bytes, length),
      wake,
      random: (length) => kernel.platform.entropy(length),
    };
  }

  completed(token: number, outcome: object | Errno): void {
    const { waiting } = this.#server;
    const waiter = waiting.get(token);
    waiting.delete(token);
    if (waiter instanceof Thread) this.#kernel.dispatch.answered(waiter, outcome);
    else if (waiter !== undefined) this.#kernel.later(() => waiter(outcome));
  }

  faulted(token: number, fault: FaultPending): void {
    const kernel = this.#kernel;
    const { port } = this.#server;
    if (fault instanceof PageNeeded)
      kernel.faults.serve(fault.process, fault.address, fault.access, (refusal) => {
        if (refusal !== undefined) fault.process.refusedPage = Math.floor(fault.address / 4096);
        port.retry(token);
      });
    else if (fault instanceof WritebackNeeded)
      kernel.faults.writeBack(fault.object, kernel.machine.objects.dirtyPages(fault.object), () => port.retry(token));
    else throw new Error(`${this.#server.name}: an unknown fault`, { cause: fault });
  }

  crashed(call: string, error: unknown): void {
    this.#server.lastCrash = error;
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#kernel.log(`${this.#server.name} server died in ${call} and was restarted: ${reason}`);
  }

  now(): number {
    return this.#kernel.now();
  }
}

/** Makes the three servers with their ports, in the order of their PIDs. */
export const createServers = (kernel: Kernel): Server[] => {
  const { servers, ipc, ipcLog, chaos } = kernel.options;
  const arena = new FrameArena();
  const sealing = ipc === 'direct' ? undefined : new Sealing(arena);
  const random = (length: number): Uint8Array => kernel.platform.entropy(length);
  // One key pair serves the handshakes of the boot: making it is a third of a handshake. It goes when the last one is over.
  const pair = sealing === undefined ? undefined : new KeyPair(random);
  let left = 3;
  const log = ipcLog === undefined ? undefined : new IpcLog(ipcLog, () => kernel.now());
  return (['vfs', 'process', 'memory'] as const).map((name) => {
    const server = new Server(name, servers[name], new TransactionalStore(kernel.undo));
    const host = new Host(kernel, server);
    server.createPort = () => {
      server.port = createInlinePort(servers[name], host, {
        arena,
        sealing,
        random,
        keyPair: pair,
        log,
        chaosHook: chaos === undefined ? undefined : (call, phase) => chaos(name, call, phase),
      });
      if (--left === 0) pair?.wipe();
    };
    return server;
  });
};
