/**
 * Extended headers of POSIX.1-2001 (pax): records `LENGTH KEY=VALUE\n`, LENGTH being the decimal length of the whole record.
 * Values are byte strings.
 */
import { ArchiveError, byteString, bytesOf } from './header.ts';

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;

/** The records, later ones winning over earlier ones of the same key. */
export const parsePax = (bytes: Uint8Array): Map<string, string> | ArchiveError => {
  const records = new Map<string, string>();
  const damaged = new ArchiveError('an extended header is damaged');
  for (let at = 0; at < bytes.length; ) {
    // Some writers fill the rest of the block with zeros and count them.
    if (bytes[at] === 0) return bytes.subarray(at).every((byte) => byte === 0) ? records : damaged;
    let length = 0;
    let i = at;
    for (; bytes[i] !== SPACE; i++) {
      const digit = bytes[i] - 0x30;
      if (!(digit >= 0 && digit <= 9) || i - at > 9) return damaged;
      length = length * 10 + digit;
    }
    const end = at + length;
    const equals = bytes.indexOf(EQUALS, i);
    if (i === at || end > bytes.length || equals < 0 || equals >= end || bytes[end - 1] !== NEWLINE) return damaged;
    records.set(byteString(bytes.subarray(i + 1, equals)), byteString(bytes.subarray(equals + 1, end - 1)));
    at = end;
  }
  return records;
};

export const formatPax = (records: Iterable<readonly [key: string, value: string]>): Uint8Array => {
  let text = '';
  for (const [key, value] of records) {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length;
    // The length counts its own digits.
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
    text += `${length}${rest}`;
  }
  return bytesOf(text);
};
