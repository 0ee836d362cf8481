/**
 * What `--chaos SPEC` may say, and its parser.
 *
 *     SPEC    ITEM,ITEM,…
 *     ITEM    seed=NUMBER
 *             kill=TARGET@WHEN      the server dies; that is no fault of the request, which is delivered again however often
 *             crash=TARGET@WHEN     the request is taken for the reason: if it kills the server twice, its caller gets EIO
 *             drop=TARGET@WHEN      a sealed frame does not arrive
 *             duplicate=TARGET@WHEN it arrives twice
 *             corrupt=TARGET@WHEN   one of its bits is flipped
 *     TARGET  SERVER, SERVER.CALL, SERVER/PHASE or SERVER.CALL/PHASE; SERVER is vfs, process, memory or *
 *     PHASE   before, writes, after-handler, before-reply, recovery (drawn if not given); of frames: request, reply
 *     WHEN    NUMBER (the delivery of that number, from 1), NUMBER% (each with that probability) or every
 *
 * Entry point: `parseChaos`, which throws an Error that says what is wrong.
 */
import type { ChaosPhase } from '../../ipc/server-loop.ts';

const SERVERS = ['vfs', 'process', 'memory', '*'] as const;
export const PHASES: readonly ChaosPhase[] = ['before', 'writes', 'after-handler', 'before-reply', 'recovery'];
const DIRECTIONS = ['request', 'reply'] as const;
const DEATHS = ['kill', 'crash'] as const;
const FAULTS = ['drop', 'duplicate', 'corrupt'] as const;

export type Death = (typeof DEATHS)[number];
export type Fault = (typeof FAULTS)[number];

export interface ChaosRule {
  readonly action: Death | Fault;
  readonly server: (typeof SERVERS)[number];
  readonly call: string | undefined;
  /** A phase of a delivery or, of faults of frames, the direction. */
  readonly phase: string | undefined;
  /** The only delivery that is meant; else `probability` holds. */
  readonly number: number | undefined;
  readonly probability: number;
}

export interface ChaosSpec {
  readonly seed: number;
  readonly rules: readonly ChaosRule[];
}

const among = <T extends string>(list: readonly T[], text: string): text is T =>
  (list as readonly string[]).includes(text);

const parseWhen = (text: string, item: string): Pick<ChaosRule, 'number' | 'probability'> => {
  if (text === 'every') return { number: undefined, probability: 1 };
  if (/^[1-9]\d{0,14}$/.test(text)) return { number: Number(text), probability: 0 };
  const percent = /^\d{1,3}(\.\d{1,9})?%$/.test(text) ? Number(text.slice(0, -1)) : Number.NaN;
  if (percent > 0 && percent <= 100) return { number: undefined, probability: percent / 100 };
  throw new Error(`chaos: “${item}” says when with a number from 1, a share such as 0.5%, or “every”`);
};

const parseRule = (action: string, value: string, item: string): ChaosRule => {
  if (!among(DEATHS, action) && !among(FAULTS, action))
    throw new Error(`chaos: there is no “${action}”; there are seed, ${[...DEATHS, ...FAULTS].join(', ')}`);
  const match = /^([^@/.]+)(?:\.([^@/]+))?(?:\/([^@]+))?@(.+)$/.exec(value);
  if (match === null) throw new Error(`chaos: “${item}” is not ${action}=SERVER[.CALL][/PHASE]@WHEN`);
  const [, server, call, phase, when] = match;
  if (!among(SERVERS, server))
    throw new Error(`chaos: there is no server “${server}”; there are ${SERVERS.join(', ')}`);
  const phases: readonly string[] = among(DEATHS, action) ? PHASES : DIRECTIONS;
  if (phase !== undefined && !phases.includes(phase))
    throw new Error(`chaos: ${action} knows no “${phase}”; there are ${phases.join(', ')}`);
  if (call !== undefined && among(FAULTS, action))
    throw new Error(`chaos: “${item}” names a call, which a sealed frame does not show`);
  if (call !== undefined && phase === 'recovery')
    throw new Error(`chaos: “${item}” names a call, but recovery belongs to none`);
  return { action, server, call, phase, ...parseWhen(when, item) };
};

export const parseChaos = (text: string): ChaosSpec => {
  let seed = 1;
  const rules: ChaosRule[] = [];
  for (const item of text.split(',').map((part) => part.trim())) {
    const split = item.indexOf('=');
    if (split <= 0) throw new Error(`chaos: “${item}” is not NAME=VALUE, such as kill=vfs@100`);
    const [name, value] = [item.slice(0, split), item.slice(split + 1)];
    if (name !== 'seed') rules.push(parseRule(name, value, item));
    else if (/^\d{1,9}$/.test(value)) seed = Number(value);
    else throw new Error('chaos: a seed is a number of up to nine digits');
  }
  if (rules.length === 0) throw new Error('chaos: nothing is to happen; kill=vfs@100, for example, says what');
  return { seed, rules };
};
