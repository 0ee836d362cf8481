/**
 * Fault injection by a specification (spec.ts): decides at each delivery of a request, each recovery and each frame what is
 * to go wrong. Decisions depend on the seed and on the order of requests only, and each rule draws from numbers of its own.
 *
 * Entry points: `Chaos.hook` (for a server's loop and its context), `Chaos.wire` (for its channel).
 */
import type { WireFault, WireHook } from '../../ipc/inline-port.ts';
import { type ChaosHook, type ChaosPhase, Killed } from '../../ipc/server-loop.ts';
import type { ChaosRule, ChaosSpec } from './spec.ts';

/** The phases that are drawn from if a rule names none. `recovery`: killed before the handler, and the next instance with it. */
const DRAWN: readonly ChaosPhase[] = ['before', 'writes', 'writes', 'after-handler', 'before-reply', 'recovery'];
/** A death in the middle of writes comes before one of this many; before the reply if there are fewer. */
const STEPS = 10;

/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
export const randomNumbers = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** A rule with its own count of what it matched and its own numbers. */
class Trigger {
  readonly random: () => number;
  #seen = 0;

  constructor(
    readonly rule: ChaosRule,
    seed: number,
  ) {
    this.random = randomNumbers(seed);
  }

  due(): boolean {
    const { number, probability } = this.rule;
    this.#seen++;
    return number === undefined ? this.random() < probability : this.#seen === number;
  }
}

/** How the delivery at hand is to end. */
interface Plan {
  readonly phase: ChaosPhase;
  readonly rule: ChaosRule;
  /** Writes until then. */
  steps: number;
}

export class Chaos {
  readonly #triggers: readonly Trigger[];

  constructor({ seed, rules }: ChaosSpec) {
    this.#triggers = rules.map((rule, index) => new Trigger(rule, Math.imul(seed + 1, 0x9e3779b1) + index));
  }

  /** Whether it meddles with frames. */
  get damagesFrames(): boolean {
    return this.#triggers.some(({ rule: { action } }) => action !== 'kill' && action !== 'crash');
  }

  hook(server: string): ChaosHook {
    const mine = this.#for(server).filter(({ rule }) => rule.action === 'kill' || rule.action === 'crash');
    const recoveries = mine.filter(({ rule }) => rule.phase === 'recovery');
    const deliveries = mine.filter(({ rule }) => rule.phase !== 'recovery');
    let plan: Plan | undefined;
    let unborn: ChaosRule | undefined;
    const die = (rule: ChaosRule, call: string, phase: ChaosPhase): never => {
      plan = undefined;
      const text = `chaos: ${rule.action} in ${server}.${call}, ${phase}`;
      throw rule.action === 'kill' ? new Killed(text) : new Error(text);
    };
    return (call, phase) => {
      if (phase === 'recovery') {
        const rule = unborn ?? recoveries.filter((trigger) => trigger.due())[0]?.rule;
        unborn = undefined;
        plan = undefined;
        if (rule !== undefined) die(rule, call, phase);
        return;
      }
      if (phase === 'before') plan = planOf(deliveries, call);
      if (plan === undefined) return;
      if (phase === 'writes') {
        if (plan.phase === 'writes' && --plan.steps === 0) die(plan.rule, call, phase);
      } else if (plan.phase === 'recovery') {
        unborn = plan.rule;
        die(plan.rule, call, phase);
      } else if (plan.phase === phase || phase === 'before-reply') die(plan.rule, call, phase);
    };
  }

  wire(server: string): WireHook | undefined {
    const mine = this.#for(server).filter(({ rule }) => rule.action !== 'kill' && rule.action !== 'crash');
    if (mine.length === 0) return undefined;
    return (frame, direction) => {
      let fault: WireFault | undefined;
      for (const { rule, random } of mine.filter((t) => (t.rule.phase ?? direction) === direction && t.due())) {
        if (rule.action === 'corrupt') frame[Math.floor(random() * frame.length)] ^= 1 << Math.floor(random() * 8);
        else fault = rule.action as WireFault;
      }
      return fault;
    };
  }

  #for(server: string): readonly Trigger[] {
    return this.#triggers.filter(({ rule }) => rule.server === '*' || rule.server === server);
  }
}

const planOf = (triggers: readonly Trigger[], call: string): Plan | undefined => {
  let plan: Plan | undefined;
  for (const { rule, random } of triggers.filter((t) => (t.rule.call ?? call) === call && t.due())) {
    const drawn = DRAWN[Math.floor(random() * DRAWN.length)];
    plan ??= { phase: (rule.phase as ChaosPhase | undefined) ?? drawn, rule, steps: 1 + Math.floor(random() * STEPS) };
  }
  return plan;
};
