/**
 * `xinim image import`: a container image becomes a root. Its layers are laid over each other (whiteouts removed), digests of
 * blobs and of unpacked layers are checked, and how its programs are started goes along (config.ts).
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import type { HostFile } from '../../../fs/host/file.ts';
import { FileTree } from '../../../fs/tar/tree.ts';
import { openHostFile } from '../host-file.ts';
import type { Log } from './apt.ts';
import { fromOci, toComment } from './config.ts';
import { type Blob, openArchive, piecesOf, readContainer, verify } from './container.ts';
import { sound } from './contents.ts';
import { writeImage } from './output.ts';

export interface ImportOptions {
  /** A `docker save` archive or an OCI layout as a tar file (perhaps compressed by gzip), or an OCI layout as a folder. */
  readonly input: string;
  readonly output: string;
  /** Which image, where there are several. */
  readonly name?: string;
  /** `os/architecture`; default linux/amd64. */
  readonly platform?: string;
  /** Bytes that all layers may have when they are unpacked; default 64 GiB. */
  readonly maxSize?: number;
  readonly log?: Log;
}

const MAX_SIZE = 64 * 2 ** 30;

type Compression = 'gzip' | 'zstd' | undefined;

const compressionOf = (file: HostFile): Compression => {
  const start = new Uint8Array(4);
  file.read(0, start);
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip';
  return start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd ? 'zstd' : undefined;
};

const decompressor = (compression: Compression, name: string): Transform => {
  if (compression === 'gzip') return zlib.createGunzip();
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform };
  if (createZstdDecompress === undefined)
    throw new Error(
      `${name} is compressed with zstd, which this version of Node.js does not read (22.15 and later do)`,
    );
  return createZstdDecompress();
};

/** Unpacks a compressed file to `path`. Throws if it is damaged or larger than `limit`. */
const unpack = async (file: HostFile, compression: Compression, path: string, limit: number): Promise<void> => {
  let size = 0;
  const bounded = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      size += piece.length;
      if (size > limit) throw new Error(`${file.name} is too large when it is unpacked`);
      yield piece;
    }
  };
  try {
    const source = Readable.from(piecesOf(file), { objectMode: false });
    await pipeline(source, decompressor(compression, file.name), bounded, fs.createWriteStream(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') || code?.startsWith('ZSTD'))
      throw new Error(`${file.name} is damaged (${(error as Error).message})`);
    throw error;
  }
};

const digestOf = (file: HostFile): string => {
  const hash = createHash('sha256');
  for (const piece of piecesOf(file)) hash.update(piece);
  return `sha256:${hash.digest('hex')}`;
};

/** Makes a root of a container image. Throws Errors that say why not. */
export const importImage = async (options: ImportOptions): Promise<{ size: number; layers: number }> => {
  const { input, output, name, platform = 'linux/amd64', maxSize = MAX_SIZE, log = () => {} } = options;
  const temporary = fs.mkdtempSync(join(tmpdir(), 'xinim-import-'));
  const opened: { close(): void }[] = [];
  let left = maxSize;
  /** The same bytes uncompressed: the file itself, or one beside. */
  const plain = async (file: HostFile, path: string): Promise<HostFile> => {
    const compression = compressionOf(file);
    if (compression === undefined) return file;
    await unpack(file, compression, path, left);
    const unpacked = openHostFile(path);
    opened.push(unpacked);
    left -= unpacked.size;
    return { ...unpacked, name: file.name };
  };
  const layerOf = async (blob: Blob, i: number, diffId: unknown): Promise<HostFile> => {
    verify(blob);
    const file = await plain(blob.file, join(temporary, `layer-${i}.tar`));
    if (typeof diffId === 'string') {
      const actual = digestOf(file);
      if (actual !== diffId) throw new Error(`${file.name} is damaged: unpacked it has ${actual}, not ${diffId}`);
    }
    return file;
  };
  try {
    let path = input;
    if (!fs.statSync(input).isDirectory()) {
      const file = openHostFile(input);
      opened.push(file);
      if ((await plain(file, join(temporary, 'archive.tar'))) !== file) path = join(temporary, 'archive.tar');
    }
    const archive = openArchive(path);
    opened.push(archive);
    const { config, layers, names } = readContainer(archive, name, platform);
    const { rootfs } = config as { rootfs?: { diff_ids?: unknown } };
    const diffIds: readonly unknown[] = Array.isArray(rootfs?.diff_ids) ? rootfs.diff_ids : [];
    if (diffIds.length !== 0 && diffIds.length !== layers.length)
      throw new Error(`the image has ${layers.length} layers, its configuration names ${diffIds.length}`);
    const tree = new FileTree();
    for (const [i, layer] of layers.entries()) {
      log(`layer ${i + 1} of ${layers.length}`);
      sound(tree.apply(await layerOf(layer, i, diffIds[i]), { layer: true }));
    }
    log(`writing ${output}`);
    const size = writeImage(output, tree, { comment: toComment(fromOci(config['config'], names)) });
    return { size, layers: layers.length };
  } finally {
    for (const file of opened) file.close();
    fs.rmSync(temporary, { recursive: true, force: true });
  }
};
