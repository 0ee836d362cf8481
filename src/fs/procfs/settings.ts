/** Files of /proc/sys that root may write: their values at boot, and what may be written (proc(5)). */
import { EINVAL, type Errno } from '../../abi/errno.ts';

interface Setting {
  readonly initial: string;
  /** The value that a text sets, or why it sets none. */
  readonly parse: (text: string) => string | Errno;
}

/** CORENAME_MAX_SIZE, with its zero byte. */
const MAX_TEXT = 127;

const text: Setting['parse'] = (written) => written.split('\n')[0].slice(0, MAX_TEXT);

const number =
  (low: number, high: number): Setting['parse'] =>
  (written) => {
    const match = /^\s*(-?\d{1,10})\s*$/.exec(written);
    const value = Number(match?.[1] ?? Number.NaN);
    return value >= low && value <= high ? String(value) : EINVAL;
  };

/** By path below /proc/sys. */
export const settings: Readonly<Record<string, Setting>> = {
  'kernel/core_pattern': { initial: 'core', parse: text },
  'kernel/core_uses_pid': { initial: '0', parse: number(-2_147_483_648, 2_147_483_647) },
};

/** The value that a setting has: what was written last, else that at boot. */
export const settingOf = (
  written: { get(path: string): { readonly value: string } | undefined },
  path: string,
): string => written.get(path)?.value ?? settings[path].initial;
