/**
 * The initial stack of a program (x86-64 psABI, 3.4.1), as Linux lays it out:
 *
 *     high   8 zero bytes │ execfn │ environment strings │ argument strings │ "x86_64" │ random (16)
 *            auxiliary vector │ NULL │ envp │ NULL │ argv │ argc  ← RSP, a multiple of 16
 */
import { AT_NULL, PLATFORM } from '../../abi/auxv.ts';

export interface StackContents {
  readonly argv: readonly string[];
  readonly envp: readonly string[];
  /** Name the program was started by. */
  readonly execfn: string;
  readonly random: Uint8Array;
  /** The vector without its end; given the addresses that lie on the stack. */
  readonly auxv: (places: {
    readonly random: number;
    readonly platform: number;
    readonly execfn: number;
  }) => readonly (readonly [number, number])[];
}

export interface InitialStack {
  /** Content from `pointer` to the top. */
  readonly bytes: Uint8Array;
  readonly pointer: number;
  readonly argumentsStart: number;
  readonly argumentsEnd: number;
  readonly environmentStart: number;
  readonly environmentEnd: number;
  /** The auxiliary vector's bytes, its end included. */
  readonly auxiliary: Uint8Array;
}

/** Bytes that strings and pointers take, as the limit on arguments counts them. */
export const argumentBytes = (argv: readonly string[], envp: readonly string[]): number =>
  [...argv, ...envp].reduce((sum, text) => sum + text.length + 1 + 8, 0);

export const buildStack = (top: number, contents: StackContents): InitialStack => {
  const { argv, envp, execfn, random } = contents;
  const strings = (list: readonly string[]): number => list.reduce((sum, text) => sum + text.length + 1, 0);
  const execfnAt = top - 8 - (execfn.length + 1);
  const environmentEnd = execfnAt;
  const environmentStart = environmentEnd - strings(envp);
  const argumentsStart = environmentStart - strings(argv);
  const platformAt = Math.floor(argumentsStart / 16) * 16 - 16;
  const randomAt = platformAt - 16;
  const auxv = [...contents.auxv({ random: randomAt, platform: platformAt, execfn: execfnAt }), [AT_NULL, 0] as const];
  const words = 1 + argv.length + 1 + envp.length + 1 + auxv.length * 2;
  const pointer = Math.floor((randomAt - words * 8) / 16) * 16;

  const bytes = new Uint8Array(top - pointer);
  const view = new DataView(bytes.buffer);
  const putText = (address: number, text: string): number => {
    for (let i = 0; i < text.length; i++) bytes[address - pointer + i] = text.charCodeAt(i);
    return address + text.length + 1;
  };
  let word = 0;
  const putWord = (value: number): void => {
    view.setUint32(word, value, true);
    view.setUint32(word + 4, Math.floor(value / 0x1_0000_0000), true);
    word += 8;
  };
  const putStrings = (list: readonly string[], start: number): void => {
    let at = start;
    for (const text of list) {
      putWord(at);
      at = putText(at, text);
    }
    putWord(0);
  };
  putWord(argv.length);
  putStrings(argv, argumentsStart);
  putStrings(envp, environmentStart);
  const auxiliaryStart = word;
  for (const [type, value] of auxv) {
    putWord(type);
    putWord(value);
  }
  const auxiliary = bytes.slice(auxiliaryStart, word);
  putText(platformAt, PLATFORM);
  bytes.set(random, randomAt - pointer);
  putText(execfnAt, execfn);
  return {
    bytes,
    pointer,
    argumentsStart,
    argumentsEnd: environmentStart,
    environmentStart,
    environmentEnd,
    auxiliary,
  };
};
