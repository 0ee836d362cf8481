/**
 * Finds the bytes of BusyBox: those of the npm package `busybox-static`, an optional dependency whose `package.json` says
 * linux/x64 only. On other hosts npm leaves it out, though we never run it there; it can be unpacked by hand and named by
 * XINIM_BUSYBOX.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What to tell a user who has no BusyBox. */
export const BUSYBOX_MISSING =
  'BusyBox is not installed: the optional dependency busybox-static could not be had on this system.\n' +
  'Unpack it with `npm pack busybox-static && tar xzf busybox-static-*.tgz` and set XINIM_BUSYBOX=package/bin/busybox.';

/** The program file, or undefined if there is none. Throws if XINIM_BUSYBOX names a file that cannot be read. */
export const findBusybox = (): Uint8Array | undefined => {
  const named = process.env['XINIM_BUSYBOX'];
  if (named !== undefined && named !== '') return readFileSync(named);
  try {
    const manifest = createRequire(import.meta.url).resolve('busybox-static/package.json');
    return readFileSync(join(dirname(manifest), 'bin/busybox'));
  } catch {
    return undefined;
  }
};
