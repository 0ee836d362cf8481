/**
 * The floating-point operations that have a slow path in TypeScript, by name and code. Names are `<op>.<shape>` for
 * arithmetic and the mnemonic for the rest; a code is the index in `SLOW_OPERATIONS`.
 */
const ARITHMETIC = ['add', 'sub', 'mul', 'div', 'sqrt', 'min', 'max'].flatMap((op) =>
  ['ss', 'ps', 'sd', 'pd'].map((shape) => `${op}.${shape}`),
);

/** Compares take their predicate, rounds their immediate, from the low four bytes of FLOAT_R. */
const OTHERS = [
  ...['ss', 'ps', 'sd', 'pd'].flatMap((shape) => [`cmp.${shape}`, `round.${shape}`]),
  ...['comiss', 'ucomiss', 'comisd', 'ucomisd'],
  ...['cvtss2sd', 'cvtps2pd', 'cvtsd2ss', 'cvtpd2ps'],
  ...['cvtdq2ps', 'cvtpi2ps', 'cvtsi2ss.32', 'cvtsi2ss.64', 'cvtsi2sd.64'],
  ...['cvtps2dq', 'cvttps2dq', 'cvtpd2dq', 'cvttpd2dq', 'cvtps2pi', 'cvttps2pi'],
  ...['cvtss2si.32', 'cvttss2si.32', 'cvtss2si.64', 'cvttss2si.64'],
  ...['cvtsd2si.32', 'cvttsd2si.32', 'cvtsd2si.64', 'cvttsd2si.64'],
];

export const SLOW_OPERATIONS: readonly string[] = [...ARITHMETIC, ...OTHERS];

/** Code of an operation that must exist. */
export function slowCode(name: string): number {
  const code = SLOW_OPERATIONS.indexOf(name);
  if (code < 0) throw new Error(`no floating-point operation ${name}`);
  return code;
}
