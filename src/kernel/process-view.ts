/**
 * A process as servers see it (ipc/kernel-calls.ts): one live object a process, so that asking costs nothing. It shows the
 * present; who wants to compare with later must note the values.
 */
import type { Capabilities } from '../abi/credentials.ts';
import type { Identity, ProcessView } from '../ipc/kernel-calls.ts';
import type { Process } from './process.ts';

export class LiveView implements ProcessView {
  readonly #process: Process;

  constructor(process: Process) {
    this.#process = process;
  }

  get #identity(): Identity {
    return this.#process.identity;
  }

  get pid(): number {
    return this.#process.pid;
  }
  get ppid(): number {
    return this.#identity.ppid;
  }
  get pgid(): number {
    return this.#identity.pgid;
  }
  get sid(): number {
    return this.#identity.sid;
  }
  get uid(): number {
    return this.#identity.uid;
  }
  get euid(): number {
    return this.#identity.euid;
  }
  get suid(): number {
    return this.#identity.suid;
  }
  get fsuid(): number {
    return this.#identity.fsuid;
  }
  get gid(): number {
    return this.#identity.gid;
  }
  get egid(): number {
    return this.#identity.egid;
  }
  get sgid(): number {
    return this.#identity.sgid;
  }
  get fsgid(): number {
    return this.#identity.fsgid;
  }
  get capabilities(): Capabilities {
    return this.#identity.capabilities;
  }
  get noNewPrivileges(): boolean {
    return this.#identity.noNewPrivileges;
  }
  get seccomp(): number {
    const [thread] = this.#process.threads;
    return thread?.seccomp === undefined ? 0 : thread.seccomp === 'strict' ? 1 : 2;
  }
  get groups(): readonly number[] {
    return this.#identity.groups;
  }
  get limits(): Identity['limits'] {
    return this.#identity.limits;
  }
  get name(): string {
    return this.#identity.name;
  }
  get nice(): number {
    return this.#identity.nice;
  }
  get state(): Identity['state'] {
    const { state } = this.#identity;
    if (state !== 'R') return state;
    return this.#process.threads.some((thread) => thread.state === 'running' || thread.state === 'ready') ? 'R' : 'S';
  }
  get blocked(): bigint {
    return this.#identity.blocked;
  }
  get ignored(): bigint {
    return this.#identity.ignored;
  }
  get caught(): bigint {
    return this.#identity.caught;
  }
  get pending(): bigint {
    return this.#identity.pending;
  }
  get queue(): Identity['queue'] {
    return this.#identity.queue;
  }
  get terminal(): number {
    return this.#identity.terminal;
  }
  get userTime(): number {
    return this.#process.userTime;
  }
  get systemTime(): number {
    return this.#process.systemTime;
  }
  get startTime(): number {
    return this.#process.startTime;
  }
  get virtualBytes(): number {
    return this.#process.space?.virtualBytes ?? 0;
  }
  get residentPages(): number {
    return this.#process.space?.residentPages ?? 0;
  }
  get minorFaults(): number {
    return this.#process.minorFaults + (this.#process.space?.faults.minor ?? 0);
  }
  get majorFaults(): number {
    return this.#process.majorFaults + (this.#process.space?.faults.major ?? 0);
  }
  get threads(): number {
    return Math.max(1, this.#process.threads.length);
  }
  get threadIds(): readonly number[] {
    const { threads, pid } = this.#process;
    return threads.length === 0 ? [pid] : threads.map(({ tid }) => tid);
  }
  get auxiliary(): Uint8Array {
    return this.#process.image.auxiliary;
  }
  get executable(): string {
    return this.#process.image.executable;
  }
  get argumentsStart(): number {
    return this.#process.image.argumentsStart;
  }
  get argumentsEnd(): number {
    return this.#process.image.argumentsEnd;
  }
  get environmentStart(): number {
    return this.#process.image.environmentStart;
  }
  get environmentEnd(): number {
    return this.#process.image.environmentEnd;
  }
  get stackStart(): number {
    return this.#process.image.stackStart;
  }
  get heapStart(): number {
    return this.#process.heapStart;
  }
  get heapEnd(): number {
    return this.#process.heapEnd;
  }
  get kernel(): boolean {
    return this.#process.kernel;
  }
}
