/** Container images made here, by the specifications, become roots; damaged and hostile ones do not. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTar } from '../../../fs/tar/tarfs.ts';
import { archiveBytes, type Piece } from '../../../fs/tar/testing/archive.ts';
import { openHostFile } from '../host-file.ts';
import { fromComment, type ImageConfig } from './config.ts';
import { sound, textOf } from './contents.ts';
import { importImage } from './import.ts';
import { listImage } from './list.ts';

const digest = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const layers: readonly Uint8Array[] = [
  archiveBytes([
    { name: 'bin/', type: '5' },
    { name: 'bin/sh', data: 'shell', mode: 0o755 },
    { name: 'etc/old', data: 'old' },
    { name: 'etc/deep/x', data: 'x' },
  ]),
  archiveBytes([
    { name: 'etc/.wh.old' },
    { name: 'etc/new', data: 'new' },
    { name: 'bin/bash', type: '1', linkName: 'bin/sh' } as Piece,
    { name: 'bin/sh', data: 'shell', mode: 0o755 },
    { name: 'bin/bash', type: '1', linkName: 'bin/sh' } as Piece,
  ]),
];

const settings = {
  Env: ['PATH=/bin', 'LANG=C.UTF-8', 'broken'],
  Entrypoint: ['/bin/sh', '-c'],
  Cmd: ['echo hi'],
  WorkingDir: '/etc',
  User: 'www:www',
};
const configOf = (os = 'linux', architecture = 'amd64'): Buffer =>
  json({ os, architecture, config: settings, rootfs: { type: 'layers', diff_ids: layers.map(digest) } });

/** An OCI layout: files by path, and a change to make to it. */
const layout = (change: (files: Map<string, Uint8Array>) => void = () => {}): Map<string, Uint8Array> => {
  const files = new Map<string, Uint8Array>();
  const blob = (bytes: Uint8Array): { digest: string; size: number } => {
    files.set(`blobs/sha256/${digest(bytes).slice(7)}`, bytes);
    return { digest: digest(bytes), size: bytes.length };
  };
  const manifest = (config: Buffer): Buffer =>
    json({ config: blob(config), layers: [blob(gzipSync(layers[0])), blob(layers[1])] });
  const index = json({
    manifests: [
      { ...blob(manifest(configOf())), platform: { os: 'linux', architecture: 'amd64' } },
      { ...blob(manifest(configOf('linux', 'arm64'))), platform: { os: 'linux', architecture: 'arm64' } },
      { digest: `sha256:${'0'.repeat(64)}`, size: 3, platform: { os: 'linux', architecture: 's390x' } },
    ],
  });
  const annotations = { 'org.opencontainers.image.ref.name': 'thing:1' };
  files.set('index.json', json({ schemaVersion: 2, manifests: [{ ...blob(index), annotations }] }));
  files.set('oci-layout', json({ imageLayoutVersion: '1.0.0' }));
  change(files);
  return files;
};

const docker = (): Map<string, Uint8Array> =>
  new Map([
    ['one/layer.tar', layers[0]],
    ['two/layer.tar', layers[1]],
    ['config.json', configOf()],
    [
      'manifest.json',
      json([{ Config: 'config.json', RepoTags: ['thing:latest'], Layers: ['one/layer.tar', 'two/layer.tar'] }]),
    ],
  ]);

const tarOf = (files: Map<string, Uint8Array>): Uint8Array =>
  archiveBytes([...files].map(([name, bytes]) => ({ name, data: Buffer.from(bytes).toString('latin1') })));

describe('container images', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(join(tmpdir(), 'xinim-import-test-'));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const save = (name: string, bytes: Uint8Array): string => {
    fs.writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const spread = (files: Map<string, Uint8Array>): string => {
    for (const [path, bytes] of files) {
      fs.mkdirSync(join(folder, 'layout', dirname(path)), { recursive: true });
      fs.writeFileSync(join(folder, 'layout', path), bytes);
    }
    return join(folder, 'layout');
  };
  const bring = async (input: string, rest = {}): Promise<{ config?: ImageConfig; names: string[] }> => {
    const output = join(folder, 'root.tar');
    await importImage({ input, output, ...rest });
    const file = openHostFile(output);
    const { tree, comment } = sound(openTar(file));
    expect(textOf(tree.find('etc/new')!)).toBe('new');
    expect(textOf(tree.find('bin/bash')!)).toBe('shell');
    expect(tree.find('bin/bash')!.nlink).toBe(2);
    const names = [...tree.find('etc')!.children!.keys()].sort();
    file.close();
    return { config: fromComment(comment), names };
  };
  const config = {
    entrypoint: ['/bin/sh', '-c'],
    cmd: ['echo hi'],
    env: { PATH: '/bin', LANG: 'C.UTF-8' },
    cwd: '/etc',
    user: 'www:www',
  };

  test.each<readonly [string, () => string]>([
    ['a docker save archive', () => save('a.tar', tarOf(docker()))],
    ['one compressed by gzip', () => save('a.tar.gz', gzipSync(tarOf(docker())))],
    ['an OCI layout in a tar file', () => save('a.tar', tarOf(layout()))],
    ['an OCI layout in a folder', () => spread(layout())],
  ])('%s', async (_what, make) => {
    const { config: found, names } = await bring(make());
    expect(found).toMatchObject(config);
    expect(names).toEqual(['deep', 'new']);
  });

  test('the image is chosen by name and platform, and what there is is said', async () => {
    const input = spread(layout());
    expect((await bring(input, { name: 'thing:1', platform: 'linux/arm64' })).config?.source).toEqual(['thing:1']);
    await expect(bring(input, { name: 'other' })).rejects.toThrow(/no image other: it has thing:1 linux\/amd64/);
    await expect(bring(input, { platform: 'linux/s390x' })).rejects.toThrow(
      /not there for linux\/s390x.*not in the archive/,
    );
  });

  const blobs = (files: Map<string, Uint8Array>): [string, Uint8Array][] =>
    [...files].filter(([path]) => path.startsWith('blobs/')).sort(([, a], [, b]) => b.length - a.length);

  test.each<readonly [why: string, says: RegExp, files: () => Map<string, Uint8Array>]>([
    [
      'a damaged layer',
      /damaged: it has sha256/,
      () =>
        layout((files) => {
          const [path, bytes] = blobs(files)[0];
          const other = bytes.slice();
          other[700] ^= 1;
          files.set(path, other);
        }),
    ],
    [
      'a blob that is cut off',
      /damaged: its size/,
      () =>
        layout((files) => {
          const [path, bytes] = blobs(files)[0];
          files.set(path, bytes.subarray(0, 1024));
        }),
    ],
    ['a blob that is missing', /is not in the image/, () => layout((files) => files.delete(blobs(files)[0][0]))],
    [
      'a layer whose contents are not the configuration’s',
      /unpacked it has/,
      () => {
        const files = docker();
        files.set('two/layer.tar', layers[0]);
        return files;
      },
    ],
    [
      'a layer too few',
      /2 layers|1 layers/,
      () => {
        const files = docker();
        files.set('manifest.json', json([{ Config: 'config.json', Layers: ['one/layer.tar'] }]));
        return files;
      },
    ],
    [
      'a digest that leads out',
      /no digest/,
      () => layout((files) => files.set('index.json', json({ manifests: [{ digest: 'sha256:../../../etc/passwd' }] }))),
    ],
    [
      'a layer that leads out',
      /no file/,
      () => {
        const files = docker();
        files.set('manifest.json', json([{ Config: 'config.json', Layers: ['../../../etc/passwd', 'x'] }]));
        return files;
      },
    ],
    [
      'an index in itself',
      /nested too deeply|no digest/,
      () =>
        layout((files) => {
          // Five levels, each of its own digest.
          let inner = json({ manifests: [] });
          for (let i = 0; i < 6; i++) {
            files.set(`blobs/sha256/${digest(inner).slice(7)}`, inner);
            inner = json({ manifests: [{ digest: digest(inner), size: inner.length }] });
          }
          files.set('index.json', inner);
        }),
    ],
    ['no JSON', /is no JSON/, () => layout((files) => files.set('index.json', Buffer.from('{')))],
    ['neither the one nor the other', /neither an OCI layout/, () => new Map([['x', Buffer.from('y')]])],
  ])('%s is refused', async (_why, says, files) => {
    const input = save('a.tar', tarOf(files()));
    await expect(importImage({ input, output: join(folder, 'root.tar') })).rejects.toThrow(says);
    expect(fs.readdirSync(folder)).toEqual(['a.tar']);
  });

  test('links of a folder lead nowhere else, and a bomb is stopped', async () => {
    const input = spread(docker());
    fs.rmSync(join(input, 'config.json'));
    fs.symlinkSync('/etc/passwd', join(input, 'config.json'));
    await expect(importImage({ input, output: join(folder, 'r.tar') })).rejects.toThrow(/leads out of/);
    const bomb = save('bomb.tar.gz', gzipSync(new Uint8Array(8 << 20)));
    await expect(importImage({ input: bomb, output: join(folder, 'r.tar'), maxSize: 1 << 20 })).rejects.toThrow(
      /too large/,
    );
  });

  test('it can be listed', async () => {
    await bring(save('a.tar', tarOf(docker())));
    const lines: string[] = [];
    listImage(join(folder, 'root.tar'), '/bin', false, (line) => lines.push(line));
    expect(lines).toEqual([
      'drwxr-xr-x 0/0               0 1970-01-01 00:16 /bin',
      '-rwxr-xr-x 0/0               5 1970-01-01 00:16 /bin/bash',
      '-rwxr-xr-x 0/0               5 1970-01-01 00:16 /bin/sh',
    ]);
    listImage(join(folder, 'root.tar'), '/', true, (line) => lines.push(line));
    expect(JSON.parse(lines[3])).toMatchObject(config);
    expect(() => listImage(join(folder, 'root.tar'), '/none', false, () => {})).toThrow('has no /none');
  });
});
