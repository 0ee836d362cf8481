/**
 * What `--root` names: a folder of the host or a tar file, as what the system is booted over. The folder is only read, and what
 * programs change is kept in memory, unless it is asked to be written.
 */
import * as fs from 'node:fs';
import type { PopulateEntry } from '../../fs/populate.ts';
import { ArchiveError } from '../../fs/tar/header.ts';
import { openTar } from '../../fs/tar/tarfs.ts';
import { initProgram } from '../../system/init.ts';
import type { SystemOptions } from '../../system/system.ts';
import { nodeDirectory } from './directory.ts';
import { openHostFile } from './host-file.ts';
import { fromComment, type ImageConfig } from './image/config.ts';

export interface Root {
  readonly base: SystemOptions['base'];
  readonly entries: readonly PopulateEntry[];
  readonly init: NonNullable<SystemOptions['init']>;
  readonly image?: ImageConfig;
  close(): void;
}

/** PID 1 is ours whatever the root has under /sbin/init; it stands in /dev, which no root brings. */
const INIT: PopulateEntry = { type: 'file', path: '/dev/init', mode: 0o755, data: initProgram() };
const init = { path: INIT.path, argv: ['/sbin/init'] };

/** What a file that is no tar file might be, by its first bytes. */
const compressionOf = (bytes: Uint8Array): string | undefined => {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  if (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) return 'zstd';
  if (bytes[0] === 0xfd && bytes[1] === 0x37 && bytes[2] === 0x7a) return 'xz';
  return undefined;
};

/** Opens a root. Throws an Error with a reason if it cannot be used. */
export const openRoot = (path: string, writable: boolean): Root => {
  if (fs.statSync(path).isDirectory()) {
    if (fs.existsSync(`${path}/oci-layout`))
      throw new Error(`${path} is an OCI layout: make a root of it with \`xinim image import ${path} -o root.tar\``);
    const directory = nodeDirectory(path, !writable);
    const base = writable ? { folder: directory } : { layers: [{ directory }] };
    return { base, entries: [INIT], init, close: () => {} };
  }
  if (writable) throw new Error(`${path} is no folder: only folders can be written`);
  const file = openHostFile(path);
  try {
    const start = new Uint8Array(4);
    file.read(0, start);
    const compression = compressionOf(start);
    if (compression !== undefined)
      throw new Error(`${path} is compressed (${compression}): a root must be a plain tar file`);
    const image = openTar(file);
    if (image instanceof ArchiveError) throw new Error(image.text);
    const { tree, comment } = image;
    if (tree.find('manifest.json') !== undefined || tree.find('oci-layout') !== undefined)
      throw new Error(
        `${path} is a container image: make a root of it with \`xinim image import ${path} -o root.tar\``,
      );
    return {
      base: { layers: [{ tree }] },
      entries: [INIT],
      init,
      image: fromComment(comment),
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
};
