/**
 * Container images as they come in files: an OCI layout (image-spec, "Image Layout"), in a folder or a tar file, and what
 * `docker save` writes (manifest.json). `readContainer` finds the image that was asked for and gives its configuration and
 * layers; every digest that is named is checked by who reads the blob (`Blob.digest`).
 *
 * Files of the archive are looked for inside it only: digests are hexadecimal, other names must stay inside.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join, sep } from 'node:path';
import { Errno } from '../../../abi/errno.ts';
import { isRegular } from '../../../abi/stat.ts';
import type { HostFile } from '../../../fs/host/file.ts';
import { openTar } from '../../../fs/tar/tarfs.ts';
import { openHostFile } from '../host-file.ts';
import { sound } from './contents.ts';

export interface Blob {
  readonly file: HostFile;
  /** `sha256:…` of its bytes, where the image says so. */
  readonly digest?: string;
}

export interface Container {
  /** The configuration, parsed. */
  readonly config: Record<string, unknown>;
  readonly layers: readonly Blob[];
  readonly names: readonly string[];
}

/** The files of an image archive by path. */
export interface Archive {
  open(path: string): HostFile | undefined;
  close(): void;
}

const JSON_MAX = 16 << 20;
const LAYERS_MAX = 1000;
const DEPTH_MAX = 4;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const folderArchive = (folder: string): Archive => {
  const root = fs.realpathSync(folder);
  const opened: { close(): void }[] = [];
  return {
    open(path) {
      let real: string;
      try {
        real = fs.realpathSync(join(root, path));
      } catch {
        return undefined;
      }
      if (!real.startsWith(`${root}${sep}`)) throw new Error(`${path} leads out of ${folder}`);
      const file = openHostFile(real);
      opened.push(file);
      return file;
    },
    close() {
      for (const file of opened) file.close();
    },
  };
};

const tarArchive = (file: HostFile & { close(): void }): Archive => {
  const { tree } = sound(openTar(file));
  return {
    open(path) {
      const node = tree.find(path);
      if (node === undefined || !isRegular(node.mode)) return undefined;
      const { contents, size } = node;
      if (contents === undefined || !('file' in contents)) return undefined;
      const { offset } = contents;
      return {
        name: `${file.name}:${path}`,
        size,
        read: (at, into) =>
          at >= size ? 0 : file.read(offset + at, into.subarray(0, Math.min(into.length, size - at))),
      };
    },
    close: () => file.close(),
  };
};

export const openArchive = (path: string): Archive => {
  if (fs.statSync(path).isDirectory()) return folderArchive(path);
  const file = openHostFile(path);
  try {
    return tarArchive(file);
  } catch (error) {
    file.close();
    throw error;
  }
};

const PIECE = 1 << 20;

/** A file's bytes, piece by piece. Throws if it cannot be read. */
export function* piecesOf(file: HostFile): Generator<Uint8Array> {
  for (let at = 0; at < file.size; ) {
    const piece = new Uint8Array(Math.min(PIECE, file.size - at));
    const count = file.read(at, piece);
    if (count instanceof Errno || count === 0) throw new Error(`${file.name} cannot be read`);
    yield piece.subarray(0, count);
    at += count;
  }
}

/** Throws unless the blob's bytes have the digest that was given for them. */
export const verify = (blob: Blob): void => {
  if (blob.digest === undefined) return;
  const hash = createHash('sha256');
  for (const piece of piecesOf(blob.file)) hash.update(piece);
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== blob.digest) throw new Error(`${blob.file.name} is damaged: it has ${actual}, not ${blob.digest}`);
};

const readJson = (blob: Blob): unknown => {
  if (blob.file.size > JSON_MAX) throw new Error(`${blob.file.name} is too long`);
  verify(blob);
  const text = Buffer.concat([...piecesOf(blob.file)]).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${blob.file.name} is no JSON`);
  }
};

const member = (archive: Archive, path: unknown): HostFile => {
  const file = typeof path === 'string' ? archive.open(path) : undefined;
  if (file === undefined) throw new Error(`the image has no file ${JSON.stringify(path)}`);
  return file;
};

/** The blob that a descriptor names. */
const described = (archive: Archive, descriptor: Fields): Blob => {
  const { digest, size } = descriptor;
  if (typeof digest !== 'string' || !DIGEST.test(digest))
    throw new Error(`${JSON.stringify(digest)} is no digest that is known (sha256 is)`);
  const file = archive.open(`blobs/sha256/${digest.slice(7)}`);
  if (file === undefined) throw new Error(`the blob ${digest} is not in the image`);
  if (typeof size === 'number' && size !== file.size)
    throw new Error(`the blob ${digest} is damaged: its size is ${file.size}`);
  return { file, digest };
};

const namesOf = (descriptor: Fields): readonly string[] => {
  const annotations = fieldsOf(descriptor['annotations']);
  return ['io.containerd.image.name', 'org.opencontainers.image.ref.name']
    .map((key) => annotations[key])
    .filter((name): name is string => typeof name === 'string');
};

/** `os/architecture` of a configuration or of a descriptor's platform. */
const platformOf = (fields: Fields): string | undefined =>
  typeof fields['os'] === 'string' ? `${fields['os']}/${fields['architecture']}` : undefined;

const isIndex = (document: Fields): boolean => Array.isArray(document['manifests']);

/** All image manifests below an index, with the names that lead to them. */
const manifestsBelow = (
  archive: Archive,
  index: Fields,
  names: readonly string[],
  depth: number,
): { manifest: Fields; names: readonly string[]; platform: string | undefined }[] => {
  if (depth > DEPTH_MAX) throw new Error('the indexes of the image are nested too deeply');
  return listOf(index['manifests']).flatMap((item) => {
    const descriptor = fieldsOf(item);
    // Signatures and provenance are kept beside images and look like them.
    if (fieldsOf(descriptor['annotations'])['vnd.docker.reference.type'] !== undefined) return [];
    const platform = platformOf(fieldsOf(descriptor['platform']));
    const own = [...names, ...namesOf(descriptor)];
    // An archive of one platform lists the others without having them.
    if (archive.open(`blobs/sha256/${String(descriptor['digest']).slice(7)}`) === undefined && platform !== undefined)
      return [{ manifest: {}, names: own, platform: `${platform} (not in the archive)` }];
    const document = fieldsOf(readJson(described(archive, descriptor)));
    if (isIndex(document)) return manifestsBelow(archive, document, own, depth + 1);
    return [{ manifest: document, names: own, platform }];
  });
};

const isNamed = (names: readonly string[], wanted: string): boolean =>
  names.some(
    (name) =>
      name === wanted ||
      name.endsWith(`/${wanted}`) ||
      name.endsWith(`/${wanted}:latest`) ||
      name === `${wanted}:latest`,
  );

/** The one that is left, or an Error that lists what there is. */
const only = <T extends { readonly names: readonly string[]; readonly platform: string | undefined }>(
  found: readonly T[],
  name: string | undefined,
  platform: string,
): T => {
  const show = (list: readonly T[]): string =>
    list.map((item) => `${item.names.join(' ') || '(no name)'} ${item.platform ?? ''}`.trim()).join(', ') || 'nothing';
  const named = name === undefined ? found : found.filter(({ names }) => isNamed(names, name));
  if (named.length === 0) throw new Error(`the archive has no image ${name ?? ''}: it has ${show(found)}`);
  const fitting = named.filter((item) => item.platform === undefined || item.platform === platform);
  if (fitting.length === 0) throw new Error(`the image is not there for ${platform}: there is ${show(named)}`);
  if (fitting.length > 1) throw new Error(`the archive has several images: choose one with --name (${show(fitting)})`);
  return fitting[0];
};

const fromLayout = (archive: Archive, index: Fields, name: string | undefined, platform: string): Container => {
  const candidates = manifestsBelow(archive, index, [], 0).map((item) => {
    if (item.platform !== undefined) return { ...item, config: undefined };
    const config = fieldsOf(readJson(described(archive, fieldsOf(item.manifest['config']))));
    return { ...item, config, platform: platformOf(config) };
  });
  const { manifest, names, config } = only(candidates, name, platform);
  return {
    config: config ?? fieldsOf(readJson(described(archive, fieldsOf(manifest['config'])))),
    layers: listOf(manifest['layers']).map((layer) => described(archive, fieldsOf(layer))),
    names,
  };
};

const fromDocker = (
  archive: Archive,
  list: readonly unknown[],
  name: string | undefined,
  platform: string,
): Container => {
  const candidates = list.map((item) => {
    const fields = fieldsOf(item);
    const config = fieldsOf(readJson({ file: member(archive, fields['Config']) }));
    const names = listOf(fields['RepoTags']).filter((tag): tag is string => typeof tag === 'string');
    return { config, names, platform: platformOf(config), paths: listOf(fields['Layers']) };
  });
  const { config, names, paths } = only(candidates, name, platform);
  return { config, names, layers: paths.map((path) => ({ file: member(archive, path) })) };
};

/** Finds the image. Throws Errors that say what is wrong or what there is to choose from. */
export const readContainer = (archive: Archive, name: string | undefined, platform: string): Container => {
  const index = archive.open('oci-layout') === undefined ? undefined : archive.open('index.json');
  const manifest = archive.open('manifest.json');
  if (index === undefined && manifest === undefined)
    throw new Error(
      'it is neither an OCI layout (no oci-layout and index.json) nor a docker save archive (no manifest.json)',
    );
  const container =
    index !== undefined
      ? fromLayout(archive, fieldsOf(readJson({ file: index })), name, platform)
      : fromDocker(archive, listOf(readJson({ file: manifest! })), name, platform);
  if (container.layers.length > LAYERS_MAX) throw new Error('the image has too many layers');
  return container;
};
