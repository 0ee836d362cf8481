/** Interpreter lines (execve(2), "Interpreter scripts"): `#!` path, optionally one argument that takes the rest of the line. */

/** Bytes of a program file that are looked at. */
export const HEAD_BYTES = 256;

export interface Interpreter {
  readonly path: string;
  readonly argument: string | undefined;
}

export const isScript = (head: Uint8Array): boolean => head.length >= 2 && head[0] === 0x23 && head[1] === 0x21;

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** The interpreter of a script; undefined if the line names none or its path is cut off (ENOEXEC). */
export const parseScript = (file: Uint8Array): Interpreter | undefined => {
  const head = file.subarray(0, HEAD_BYTES);
  const newline = head.indexOf(10);
  const end = newline < 0 ? head.length : newline;
  const line = text(head.subarray(2, end)).split('\0')[0];
  const trimmed = line.replace(/^[ \t]+|[ \t]+$/g, '');
  if (trimmed === '') return undefined;
  const space = trimmed.search(/[ \t]/);
  // Without a newline the line may go on past what was read: then only a complete path counts.
  if (newline < 0 && space < 0 && file.length >= HEAD_BYTES) return undefined;
  if (space < 0) return { path: trimmed, argument: undefined };
  return { path: trimmed.slice(0, space), argument: trimmed.slice(space).replace(/^[ \t]+/, '') };
};
