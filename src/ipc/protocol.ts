/**
 * Protocol declarations. A protocol is a named set of calls, each with its number, one line of documentation and the
 * fields of request and reply. Codec, client, server skeleton, IPC log and docs derive from it.
 *
 * Numbers: VFS 100–199, process 200–299, memory 300–399, network 400–499, resurrection 500–599, user programs from 1000.
 * In each range x90 is the reply and x91 the error (an errno): a request may not use them. A protocol whose hundred is full goes
 * on in another one (`more`; VFS: 600–699), with replies and errors numbered as before.
 *
 * Invariant: a request's fields are written in declaration order; there is no padding.
 */
import type { Field } from './fields.ts';

// biome-ignore lint/suspicious/noExplicitAny: a set of fields of any types
export type Fields = Readonly<Record<string, Field<any>>>;
export type Values<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

export interface Call<Req extends Fields = Fields, Rep extends Fields = Fields> {
  readonly number: number;
  readonly doc: string;
  readonly request: Req;
  readonly reply: Rep;
}

/** Declares one call of a protocol. */
export const call = <Req extends Fields, Rep extends Fields>(
  number: number,
  doc: string,
  request: Req,
  reply: Rep,
): Call<Req, Rep> => ({ number, doc, request, reply });

export interface Protocol<Calls extends Record<string, Call> = Record<string, Call>> {
  readonly name: string;
  /** First number of the range; `base + 90` is the reply, `base + 91` the error. */
  readonly base: number;
  readonly calls: Calls;
  /** First number of a second range. */
  readonly more: number | undefined;
}

/** Declares a protocol and checks its numbers. Throws on a duplicate or misplaced number: that is a bug in a declaration. */
export const protocol = <Calls extends Record<string, Call>>(
  name: string,
  base: number,
  calls: Calls,
  more?: number,
): Protocol<Calls> => {
  const seen = new Set<number>();
  const within = (number: number, start: number): boolean => number >= start && number <= start + 99;
  for (const [callName, { number }] of Object.entries(calls)) {
    const known = within(number, base) || (more !== undefined && within(number, more));
    if (!known || number === base + 90 || number === base + 91 || seen.has(number))
      throw new Error(`protocol ${name}: number ${number} of ${callName} is taken or outside the range`);
    seen.add(number);
  }
  return { name, base, calls, more };
};

export type RequestOf<P extends Protocol, K extends keyof P['calls']> = Values<P['calls'][K]['request']>;
export type ReplyOf<P extends Protocol, K extends keyof P['calls']> = Values<P['calls'][K]['reply']>;
