/**
 * The folder `XINIM_CACHE_DIR`: translations of guest code, so that the next start of the same program translates nothing. A
 * file is what this version of the engine wrote, whole, or it is not there: each begins with hashes of the engine and of its
 * content. Files that are damaged, of another version or of something else are ignored and written anew; nothing is ever
 * reported, for the cache may be lost at any time.
 *
 *     16 bytes magic   32 bytes SHA-256 of the engine   32 bytes SHA-256 of the content   content
 *
 * Whoever may write there decides what is executed in guests: the folder is made for the user alone.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TranslationCache } from '../../cpu/index.ts';

const MAGIC = Buffer.from('XINIM code 1\n\0\0\0', 'latin1');
const HASH = 32;
const HEADER = MAGIC.length + 2 * HASH;
const SUFFIX = '.xinim-code';
/** Bytes that the folder may hold; the files that were used longest ago go first. */
const LIMIT = 256 << 20;

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The sources of the engine below a folder, when it does not run from a bundle. */
const sources = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join(folder, name));

/** What this engine is: the bundle, or all its sources. */
function fingerprint(): Buffer {
  const self = fileURLToPath(import.meta.url);
  const files = self.endsWith('.ts')
    ? [
        join(dirname(self), '../../cpu'),
        join(dirname(self), '../../wasm'),
        join(dirname(self), '../../memory'),
      ].flatMap(sources)
    : [self];
  return sha256(...files.map((file) => readFileSync(file)), Buffer.from(process.version));
}

/** Makes a folder and those above it. By hand: `recursive` never returns below /proc. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error;
    makeFolder(dirname(folder));
    mkdirSync(folder, { mode: 0o700 });
  }
}

export class FolderCache implements TranslationCache {
  readonly #engine = fingerprint();

  constructor(private readonly folder: string) {
    makeFolder(folder);
  }

  load(name: string): Uint8Array | undefined {
    const path = join(this.folder, name + SUFFIX);
    try {
      const file = readFileSync(path);
      const content = file.subarray(HEADER);
      const engine = file.subarray(MAGIC.length, MAGIC.length + HASH);
      if (!file.subarray(0, MAGIC.length).equals(MAGIC) || !engine.equals(this.#engine)) return undefined;
      if (!file.subarray(MAGIC.length + HASH, HEADER).equals(sha256(content))) return undefined;
      const now = new Date();
      utimesSync(path, now, now);
      return new Uint8Array(content);
    } catch {
      return undefined;
    }
  }

  save(name: string, bytes: Uint8Array): void {
    const path = join(this.folder, name + SUFFIX);
    // Under another name first: who reads at the same time sees all of it or nothing.
    const fresh = `${path}.${process.pid}`;
    try {
      writeFileSync(fresh, Buffer.concat([MAGIC, this.#engine, sha256(bytes), bytes]), { mode: 0o600 });
      renameSync(fresh, path);
    } catch {
      try {
        rmSync(fresh, { force: true });
      } catch {
        // The folder itself is gone.
      }
    }
  }

  /** Removes the files that were used longest ago until the folder is small enough. */
  trim(limit = LIMIT): void {
    try {
      const files = readdirSync(this.folder)
        .filter((name) => name.includes(SUFFIX))
        .map((name) => {
          const { size, mtimeMs } = statSync(join(this.folder, name));
          return { path: join(this.folder, name), size, mtimeMs };
        })
        .sort((a, b) => a.mtimeMs - b.mtimeMs);
      let total = files.reduce((sum, { size }) => sum + size, 0);
      for (const { path, size } of files) {
        if (total <= limit) return;
        rmSync(path, { force: true });
        total -= size;
      }
    } catch {
      // Somebody else tidies up at the same time.
    }
  }
}
