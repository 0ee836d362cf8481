/** Boots a system in Node.js: default root, host folders, platform, driver. */
import { Errno } from '../../abi/errno.ts';
import { createEngine, createJit, createLockstep, useTranslationCache } from '../../cpu/index.ts';
import type { PopulateEntry } from '../../fs/populate.ts';
import type { KernelOptions } from '../../kernel/options.ts';
import { defaultRoot } from '../../system/skeleton.ts';
import { System } from '../../system/system.ts';
import { useBranchHints } from './branch-hints.ts';
import { findBusybox } from './busybox.ts';
import { nodeDirectory } from './directory.ts';
import { Driver } from './driver.ts';
import { nodePlatform } from './platform.ts';
import { openRoot } from './root.ts';
import { toBytes, XinimError } from './text.ts';
import { FolderCache } from './translation-cache.ts';
import { Xinim } from './xinim.ts';

/** Throws an Error that says what is wrong with a specification of faults. */
export { parseChaos } from '../../kernel/chaos/spec.ts';
export { XinimError };

/** What executes guest code; `lockstep` runs everything on both others and stops at the first difference. */
const ENGINES = { interpreter: createEngine, jit: createJit, lockstep: createLockstep } as const;

/** The engine of a name that the environment gives; the translator for one that is unknown. */
const engineOf = (name: string | undefined): keyof typeof ENGINES =>
  name !== undefined && Object.hasOwn(ENGINES, name) ? (name as keyof typeof ENGINES) : 'jit';

export interface MountOptions {
  /** Folder of the host. */
  readonly host: string;
  /** Where it appears in the guest. */
  readonly guest: string;
  readonly readOnly?: boolean;
}

export interface BootOptions
  extends Pick<KernelOptions, 'ipc' | 'memory' | 'hostname' | 'aslr' | 'tracer' | 'ipcLog' | 'chaos'> {
  /** What executes guest code; default the environment variable XINIM_ENGINE, else the translator (`jit`). */
  readonly engine?: keyof typeof ENGINES;
  /**
   * The root, instead of the default one: a host folder or a tar file (as `xinim image` makes them). What programs change is
   * kept in memory, unless it is a folder and `writable`: then the folder is changed.
   */
  readonly root?: string | { readonly path: string; readonly writable?: boolean };
  /** Files to add to the root before init starts. */
  readonly files?: readonly PopulateEntry[];
  readonly mounts?: readonly MountOptions[];
  /** Takes what programs write to a console; returns how many bytes were taken (all, if it returns nothing). */
  // biome-ignore lint/suspicious/noConfusingVoidType: a plain callback need not return anything
  readonly console?: (terminal: number, bytes: Uint8Array) => number | void;
  /** Takes lines of the system log. */
  readonly log?: (line: string) => void;
}

let cache: FolderCache | undefined;

/** Keeps translations in a folder, for all systems of this Node.js process. Goes without if the folder cannot be made. */
const keepTranslations = (folder: string): void => {
  if (cache !== undefined) return;
  try {
    cache = new FolderCache(folder);
  } catch {
    return;
  }
  cache.trim();
  useTranslationCache(cache);
};

/** Boots a system. Throws XinimError, or Error with a reason, if it cannot. */
export const boot = async (options: BootOptions = {}): Promise<Xinim> => {
  const {
    mounts = [],
    files = [],
    root,
    console,
    log,
    aslr = true,
    engine = engineOf(process.env.XINIM_ENGINE),
    ...kernel
  } = options;
  if (engine !== 'interpreter') {
    useBranchHints();
    const folder = process.env.XINIM_CACHE_DIR;
    if (folder !== undefined && folder !== '') keepTranslations(folder);
  }
  const platform = nodePlatform({
    console: console && ((terminal, bytes) => console(terminal, bytes) ?? bytes.length),
    log,
  });
  const { path, writable = false } = typeof root === 'string' ? { path: root } : (root ?? {});
  const opened = path === undefined ? undefined : openRoot(path, writable);
  const entries = opened?.entries ?? defaultRoot(findBusybox());
  const system = System.boot(platform, {
    ...kernel,
    aslr,
    createEngine: ENGINES[engine],
    base: opened?.base,
    init: opened?.init,
    root: [...entries, ...files],
    mounts: mounts.map(({ host, guest, readOnly }) => ({
      guest: toBytes(guest),
      directory: nodeDirectory(host, readOnly ?? false),
    })),
  });
  if (system instanceof Errno) {
    opened?.close();
    throw new XinimError(system, 'boot');
  }
  const driver = new Driver(system);
  driver.poke();
  return new Xinim(system, driver, opened);
};
