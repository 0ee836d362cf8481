/** `xinim image build | import | ls`: making roots and looking into them. No system is booted. */
import type { Command } from 'commander';
import { buildImage } from '../host/node/image/build.ts';
import { importImage } from '../host/node/image/import.ts';
import { listImage } from '../host/node/image/list.ts';

/** What to do, decided by parsing, done later. Returns the exit status. */
export interface ImageInvocation {
  readonly kind: 'image';
  run(): Promise<number>;
}

const log = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const commaList = (value: string, previous: readonly string[] = []): readonly string[] => [
  ...previous,
  ...value.split(',').filter((name) => name !== ''),
];

/** Adds the command `image`; `chosen` takes what was asked for. */
export const addImageCommands = (program: Command, chosen: (invocation: ImageInvocation) => void): void => {
  const image = program.command('image').description('make roots for --root, and look into them');
  image
    .command('build')
    .description('build a root of Debian packages, with the apt-get of this machine')
    .requiredOption(
      '--packages <names>',
      'packages, separated by commas; what they depend on comes with them',
      commaList,
    )
    .requiredOption('-o, --output <file>', 'the tar file to write')
    .option('--update', 'fetch package lists anew')
    .option('--cache <dir>', 'where package lists and packages are kept (default: ~/.cache/xinim)')
    .action(
      ({ packages, output, update, cache }: { packages: string[]; output: string; update?: true; cache?: string }) =>
        chosen({
          kind: 'image',
          async run() {
            const built = buildImage({ packages, output, update, cache, log });
            log(`${output}: ${built.packages.length} packages, ${megabytes(built.size)}`);
            return 0;
          },
        }),
    );
  image
    .command('import')
    .description('make a root of a container image: a `docker save` archive or an OCI layout (folder or tar file)')
    .argument('<image>', 'file or folder')
    .requiredOption('-o, --output <file>', 'the tar file to write')
    .option('--name <name>', 'which image of the archive, where there are several')
    .option('--platform <os/arch>', 'which platform', 'linux/amd64')
    .action((input: string, { output, name, platform }: { output: string; name?: string; platform: string }) =>
      chosen({
        kind: 'image',
        async run() {
          const imported = await importImage({ input, output, name, platform, log });
          log(`${output}: ${imported.layers} layers, ${megabytes(imported.size)}`);
          return 0;
        },
      }),
    );
  image
    .command('ls')
    .description('list the files of a root, or how its programs are started')
    .argument('<tar>', 'a tar file, as --root takes it')
    .argument('[path]', 'only what is below this folder', '/')
    .option('--config', 'the configuration as one JSON object, instead of files')
    .action((tar: string, path: string, { config }: { config?: true }) =>
      chosen({
        kind: 'image',
        async run() {
          listImage(tar, path, config ?? false, (line) => process.stdout.write(`${line}\n`));
          return 0;
        },
      }),
    );
};
