/** openat2(2): opening with limits on how the path is resolved. What open(2) ignores is refused here. */
import { E2BIG, EAGAIN, EFAULT, EINVAL, Errno, type Result } from '../../../abi/errno.ts';
import {
  OPEN_HOW_BYTES,
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from '../../../abi/events.ts';
import * as f from '../../../abi/fcntl.ts';
import type { Grant } from '../../../ipc/fields.ts';
import { open } from '../open.ts';
import { asResult } from '../outcome.ts';
import type { Vfs } from '../state.ts';
import type { CallsOf } from './calls-of.ts';

const PAGE = 4096;
const OPEN_FLAGS = Object.values(f.openFlagNames).reduce((all, flag) => all | flag, f.O_ACCMODE);
const PATH_FLAGS = f.O_PATH | f.O_DIRECTORY | f.O_NOFOLLOW | f.O_CLOEXEC;
const RESOLVE_FLAGS =
  RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED;
const UNNAMED = f.O_TMPFILE & ~f.O_DIRECTORY;

interface How {
  readonly flags: number;
  readonly mode: number;
  readonly resolve: number;
}

/** Reads the structure: later kernels' fields must be zero. E2BIG, EFAULT, EINVAL. */
const readHow = (vfs: Vfs, grant: Grant | null, size: number): Result<How> => {
  if (size < OPEN_HOW_BYTES) return EINVAL;
  if (size > PAGE) return E2BIG;
  if (grant === null) return EFAULT;
  const bytes = vfs.context.copyIn(grant, 0, size);
  if (bytes instanceof Errno) return EFAULT;
  if (bytes.subarray(OPEN_HOW_BYTES).some((byte) => byte !== 0)) return E2BIG;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const at of [4, 12, 20]) if (view.getUint32(at, true) !== 0) return EINVAL;
  return { flags: view.getInt32(0, true), mode: view.getUint32(8, true), resolve: view.getUint32(16, true) };
};

const check = ({ flags, mode, resolve }: How): Errno | undefined => {
  if (flags & ~OPEN_FLAGS || resolve & ~RESOLVE_FLAGS) return EINVAL;
  if (resolve & RESOLVE_BENEATH && resolve & RESOLVE_IN_ROOT) return EINVAL;
  const makes = flags & (f.O_CREAT | UNNAMED);
  if (makes ? mode & ~0o7777 : mode !== 0) return EINVAL;
  if (flags & f.O_PATH && flags & ~PATH_FLAGS) return EINVAL;
  if (resolve & RESOLVE_CACHED && (makes || flags & f.O_TRUNC)) return EAGAIN;
  return undefined;
};

export const openHow = (vfs: Vfs): CallsOf<'openHow'> => ({
  openHow: ({ dirfd, path, how, size }, call) => {
    const asked = readHow(vfs, how, size);
    if (asked instanceof Errno) return asked;
    const refused = check(asked);
    if (refused !== undefined) return refused;
    const { flags, mode, resolve } = asked;
    const has = (bit: number): boolean => (resolve & bit) !== 0;
    return asResult(
      open(vfs, call, dirfd, path, flags, mode, {
        noXdev: has(RESOLVE_NO_XDEV),
        noMagicLinks: has(RESOLVE_NO_MAGICLINKS),
        noSymlinks: has(RESOLVE_NO_SYMLINKS),
        beneath: has(RESOLVE_BENEATH),
        inRoot: has(RESOLVE_IN_ROOT),
      }),
    );
  },
});
