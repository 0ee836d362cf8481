/**
 * Deadlock detection: the wait-for graph of endpoints.
 *
 * An endpoint that blocks in a receive from one particular other waits for that one alone, so every node has at most one edge
 * out, and a cycle can only be closed by the edge that is added: following the chain from its target finds it in O(depth).
 * The request that would close a cycle is refused with EDEADLK; those that wait already go on waiting.
 *
 * Entry points: `wait`, `release`, `chain`. A receive from anyone is no edge: any sender may end it.
 */
import { EDEADLK, type Result } from '../abi/errno.ts';

export class WaitGraph {
  readonly #waitsFor = new Map<number, number>();

  /** `waiter` is going to wait for `target`. EDEADLK, and no edge, if `target` waits for `waiter`, directly or through others. */
  wait(waiter: number, target: number): Result<void> {
    for (let at: number | undefined = target; at !== undefined; at = this.#waitsFor.get(at))
      if (at === waiter) return EDEADLK;
    this.#waitsFor.set(waiter, target);
    return undefined;
  }

  /** `waiter` waits no longer: it was answered, cancelled or closed. */
  release(waiter: number): void {
    this.#waitsFor.delete(waiter);
  }

  /** Whom `waiter` waits for, whom that one waits for, and so on. */
  chain(waiter: number): number[] {
    const chain: number[] = [];
    for (let at = this.#waitsFor.get(waiter); at !== undefined; at = this.#waitsFor.get(at)) chain.push(at);
    return chain;
  }

  get size(): number {
    return this.#waitsFor.size;
  }
}
