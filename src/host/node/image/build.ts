/**
 * `xinim image build`: a root of Debian packages. The packages' files are merged in the order of their dependencies into one tree,
 * completed by what their maintainer scripts would set up (complete.ts), and written as a tar file that is used as `--root`
 * and that works natively too (unpacked, by chroot). The same packages give the same bytes.
 */
import * as fs from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../../abi/stat.ts';
import type { HostFile } from '../../../fs/host/file.ts';
import { readMembers } from '../../../fs/tar/reader.ts';
import { FileTree } from '../../../fs/tar/tree.ts';
import { openHostFile } from '../host-file.ts';
import { downloadPackages, type Log, type Package, runTool } from './apt.ts';
import { complete } from './complete.ts';
import { toComment } from './config.ts';
import { sound } from './contents.ts';
import { writeImage } from './output.ts';

export interface BuildOptions {
  readonly packages: readonly string[];
  readonly output: string;
  /** Where package lists and packages are kept; default `imageCache()`. */
  readonly cache?: string;
  /** Fetch the package lists anew. */
  readonly update?: boolean;
  readonly log?: Log;
}

/** Every root has these: the folders, the accounts, the C library's programs and its locale. */
const BASE = ['base-files', 'base-passwd', 'libc-bin'];
/** `/bin` and its like are links, as in every Debian since 2019. */
const MERGED = ['bin', 'sbin', 'lib', 'lib64'];

/** The folder for what is downloaded: $XDG_CACHE_HOME/xinim. */
export const imageCache = (): string => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'xinim');

/** The package's files as a tar file in the cache. */
const filesOf = (pack: Package, folder: string): string => {
  const path = join(folder, `${pack.name}_${pack.version.replaceAll(':', '%3a')}_${pack.architecture}.tar`);
  if (fs.existsSync(path)) return path;
  fs.mkdirSync(folder, { recursive: true });
  const temporary = `${path}.${process.pid}.part`;
  // dpkg-deb writes to its standard output only.
  runTool('sh', ['-c', 'exec dpkg-deb --fsys-tarfile "$1" >"$2"', 'sh', pack.path, temporary]);
  fs.renameSync(temporary, path);
  return path;
};

/** What dpkg keeps of an installed package: its control file with a status. */
const statusOf = (pack: Package): string => {
  const control = runTool('dpkg-deb', ['--field', pack.path]);
  return `${control.replace(/^(Package: .*\n)/, '$1Status: install ok installed\n')}\n`;
};

const add = (tree: FileTree, path: string, node: Parameters<FileTree['add']>[1]): void => {
  sound(tree.add(path, node));
};

const newest = (file: HostFile): number => {
  let time = 0;
  sound(
    readMembers(file, (member) => {
      time = Math.max(time, Math.floor(member.mtime));
      return undefined;
    }),
  );
  return time;
};

/** Builds a root. Returns its size in bytes and what is in it. Throws Errors that say why not. */
export const buildImage = (options: BuildOptions): { size: number; packages: readonly Package[] } => {
  const { output, update = false, log = () => {} } = options;
  const cache = options.cache ?? imageCache();
  const wanted = [...new Set([...options.packages, ...BASE])].sort();
  const packages = downloadPackages(wanted, join(cache, 'apt'), update, log);
  log(`merging ${packages.length} packages`);
  const files = packages.map((pack) => openHostFile(filesOf(pack, join(cache, 'packages'))));
  try {
    const given = process.env['SOURCE_DATE_EPOCH'];
    const epoch = given !== undefined && /^\d+$/.test(given) ? Number(given) : Math.max(...files.map(newest));
    const tree = new FileTree();
    for (const name of MERGED) {
      add(tree, `usr/${name}`, { mode: S_IFDIR | 0o755, mtime: epoch });
      add(tree, name, { mode: S_IFLNK | 0o777, target: `usr/${name}`, mtime: epoch });
    }
    for (const file of files) sound(tree.apply(file, { keepLinks: true }));
    complete(tree, epoch);
    const status = packages.map(statusOf).sort().join('');
    add(tree, 'var/lib/dpkg/status', { mode: S_IFREG | 0o644, bytes: Buffer.from(status, 'utf8'), mtime: epoch });
    const comment = toComment({ entrypoint: [], cmd: [], env: {}, source: [...options.packages].sort() });
    log(`writing ${output}`);
    return { size: writeImage(output, tree, { comment, latest: epoch }), packages };
  } finally {
    for (const file of files) file.close();
  }
};
