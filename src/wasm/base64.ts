/** A finished module out of a bundle's text. A plain loop: at start nothing is optimised, and iterators cost ten times as much. */
export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => {
  const binary = atob(text);
  const { length } = binary;
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
};
