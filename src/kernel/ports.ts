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
import { Killed } from '../ipc/server-loop.ts';
import { Chaos } from './chaos/chaos.ts';
import { parseChaos } from './chaos/spec.ts';
import { watchedContext } from './chaos/watched-context.ts';
import { PageNeeded } from './guest-memory.ts';
import type { Kernel } from './kernel.ts';
import { kernelCallsFor } from './kernel-calls/index.ts';
import { WritebackNeeded } from './kernel-calls/memory.ts';
import type { KernelOptions } from './options.ts';
import { Server } from './server-slot.ts';
import { TransactionalStore } from './store/store.ts';
import { Thread } from './thread.ts';

class Host implements PortHost {
  readonly #kernel: Kernel;
  readonly #server: Server;
  /** Called ahead of each change that the server makes (chaos). */
  readonly beforeWrites: (() => void) | undefined;

  constructor(kernel: Kernel, server: Server, beforeWrites: (() => void) | undefined) {
    this.beforeWrites = beforeWrites;
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
    const context: ServerContext = {
      store: server.store,
      kernel: kernelCallsFor(kernel, server),
      now: () => kernel.now(),
      realtime: () => kernel.realtime(),
      copyIn: (grant, offset, length) => kernel.grants.copyIn(server, grant, offset, length),
      copyOut: (grant, offset, bytes, length) => kernel.grants.copyOut(server, grant, offset, bytes, length),
      wake,
      random: (length) => kernel.platform.entropy(length),
    };
    return this.beforeWrites === undefined ? context : watchedContext(context, this.beforeWrites);
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

  crashed(call: string, error: unknown, again: boolean): void {
    const { name, port } = this.#server;
    this.#server.lastCrash = error;
    const reason =
      error instanceof Killed ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#kernel.log(`${name} server died in ${call} and was restarted: ${reason}`);
    if (again)
      this.#kernel.log(
        `${name} server crashes again and again: ${port.statistics.restarts} restarts, see /proc/xinim/servers`,
      );
  }

  now(): number {
    return this.#kernel.now();
  }
}

/** What `chaos` asks for. Throws an Error if that names what there is not, or cannot be done. */
const chaosOf = ({ chaos, ipc, servers }: KernelOptions): Pick<Chaos, 'hook' | 'wire'> | undefined => {
  if (chaos === undefined) return undefined;
  if (typeof chaos !== 'string')
    return { hook: (server) => (call, phase) => chaos(server, call, phase), wire: () => undefined };
  const spec = parseChaos(chaos);
  for (const { call, server } of spec.rules) {
    const asked = server === '*' ? Object.values(servers) : [servers[server]];
    if (call !== undefined && !asked.some(({ protocol }) => Object.hasOwn(protocol.calls, call)))
      throw new Error(`chaos: server ${server} has no request “${call}”`);
  }
  const made = new Chaos(spec);
  if (made.damagesFrames && ipc === 'direct') throw new Error('chaos: only sealed frames can be dropped or damaged');
  return made;
};

/** Makes the three servers with their ports, in the order of their PIDs. */
export const createServers = (kernel: Kernel): Server[] => {
  const { servers, ipc, ipcLog } = kernel.options;
  const chaos = chaosOf(kernel.options);
  const arena = new FrameArena();
  const sealing = ipc === 'direct' ? undefined : new Sealing(arena);
  const random = (length: number): Uint8Array => kernel.platform.entropy(length);
  // One key pair serves the handshakes of the boot: making it is a third of a handshake. It goes when the last one is over.
  const pair = sealing === undefined ? undefined : new KeyPair(random);
  let left = 3;
  const log = ipcLog === undefined ? undefined : new IpcLog(ipcLog, () => kernel.now());
  return (['vfs', 'process', 'memory'] as const).map((name) => {
    const server = new Server(name, servers[name], new TransactionalStore(kernel.undo));
    const hook = chaos?.hook(name);
    let running = 'create';
    const host = new Host(kernel, server, hook && (() => hook(running, 'writes')));
    server.createPort = () => {
      server.port = createInlinePort(servers[name], host, {
        arena,
        sealing,
        random,
        keyPair: pair,
        log,
        wire: chaos?.wire(name),
        chaosHook:
          hook &&
          ((call, phase) => {
            running = call;
            hook(call, phase);
          }),
      });
      if (--left === 0) pair?.wipe();
    };
    return server;
  });
};
