/**
 * A server as the kernel holds it: its port, its store, and who waits for its answers.
 */
import type { Errno } from '../abi/errno.ts';
import type { ServerName } from '../abi/syscall.ts';
import type { ServerPort } from '../ipc/port.ts';
import type { Protocol } from '../ipc/protocol.ts';
import type { ServerDefinition } from '../ipc/server.ts';
import type { TransactionalStore } from './store/store.ts';
import type { Thread } from './thread.ts';

/** Takes the outcome of a request that the kernel itself made. */
export type Answer = (outcome: object | Errno) => void;

export class Server {
  port!: ServerPort;
  /** Who gets the outcome of a pending request: a thread whose system call it is, or a step of the kernel's own. */
  readonly waiting = new Map<number, Thread | Answer>();
  /** Starts the server: it may use kernel calls from then on. */
  createPort!: () => void;
  readonly #grantFields = new Map<string, readonly string[]>();
  /** Last error that killed it. */
  lastCrash: unknown;

  constructor(
    readonly name: ServerName,
    readonly definition: ServerDefinition,
    readonly store: TransactionalStore,
  ) {}

  get pid(): number {
    return this.definition.pid;
  }

  get protocol(): Protocol {
    return this.definition.protocol;
  }

  /** Request fields of a call that carry grants. */
  grantFields(call: string): readonly string[] {
    let found = this.#grantFields.get(call);
    if (found === undefined) {
      const fields = Object.entries(this.protocol.calls[call]?.request ?? {});
      found = fields.filter(([, field]) => field.kind === 'grant').map(([name]) => name);
      this.#grantFields.set(call, found);
    }
    return found;
  }
}
