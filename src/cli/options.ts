/**
 * The command line: three ways to say what runs (a shell, a program of the guest, a program file of the host) and the
 * options of DESIGN §7 that go with each. Parsing only; main.ts acts on the result.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseChaos } from '../host/node/boot.ts';
import { addImageCommands, type ImageInvocation } from './image.ts';

export interface Mount {
  readonly host: string;
  readonly guest: string;
  readonly readOnly: boolean;
}

export interface CommonOptions {
  readonly root?: { readonly path: string; readonly writable: boolean };
  readonly mount: readonly Mount[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** `name`, `uid`, with `:group` or `:gid` behind it perhaps; the image's or root if nothing is said. */
  readonly user?: string;
  /** Bytes. */
  readonly memory?: number;
  readonly cpuTime?: number;
  readonly ipc: 'sealed' | 'direct';
  /** Random addresses for programs; a number is their seed. */
  readonly aslr?: boolean | number;
  /** What executes guest code; the default is boot's. */
  readonly engine?: 'interpreter' | 'jit' | 'lockstep';
  /** Trace the calls that this filter names (trace/tracer.ts), all if it is empty, or none. */
  readonly trace?: string;
  /** Write the IPC log to standard error (true) or to a file. */
  readonly ipcLog?: true | string;
  /** Faults to inject (kernel/chaos/spec.ts). */
  readonly chaos?: string;
  readonly stats?: true | string;
  /** List the translated code that was executed most. */
  readonly hot?: true | string;
}

export type Invocation = CommonOptions &
  (
    | { readonly kind: 'shell'; readonly command?: string }
    /** A program of the guest. */
    | { readonly kind: 'exec'; readonly path: string; readonly args: readonly string[] }
    /** A program file of the host, in a fresh system. */
    | { readonly kind: 'run'; readonly path: string; readonly args: readonly string[] }
  );

const fail = (message: string): never => {
  throw new InvalidArgumentError(message);
};

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `512M`, `2g`, `65536`: bytes. */
export const parseSize = (value: string): number => {
  const match = /^(\d+)([kmg]?)i?b?$/i.exec(value);
  if (match === null) return fail('a size is a number with K, M or G behind it, such as 512M');
  const bytes = Number(match[1]) * UNITS[match[2].toLowerCase()];
  return bytes >= 1024 ** 2 ? bytes : fail('the guest needs at least 1M of memory');
};

/** `HOST:GUEST[:ro]`. */
export const parseMount = (value: string, previous: readonly Mount[] = []): readonly Mount[] => {
  const parts = value.split(':');
  const readOnly = parts.length > 2 && ['ro', 'rw'].includes(parts.at(-1)!) ? parts.pop() === 'ro' : false;
  const guest = parts.pop();
  const host = parts.join(':');
  if (guest === undefined || host === '' || !guest.startsWith('/'))
    return fail('a mount is HOST:GUEST or HOST:GUEST:ro, and GUEST is absolute');
  return [...previous, { host, guest, readOnly }];
};

/** `DIR`, `FILE` or `DIR:rw`. */
export const parseRoot = (value: string): { path: string; writable: boolean } => {
  const writable = value.endsWith(':rw');
  const path = writable || value.endsWith(':ro') ? value.slice(0, -3) : value;
  return path === '' ? fail('a root is a folder or a tar file') : { path, writable };
};

const parseEnvironment = (
  value: string,
  previous: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> => {
  const split = value.indexOf('=');
  if (split <= 0) return fail('a variable is NAME=VALUE');
  return { ...previous, [value.slice(0, split)]: value.slice(split + 1) };
};

const parseUser = (value: string): string =>
  /^[^:\s]+(:[^:\s]+)?$/.test(value) ? value : fail('a user is USER or USER:GROUP, by names or numbers');

const parseSeconds = (value: string): number => {
  const seconds = Number(value);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : fail('a positive number of seconds');
};

const parseAslr = (value: string): boolean | number => {
  if (value === 'on' || value === 'off') return value === 'on';
  return /^\d{1,9}$/.test(value) ? Number(value) : fail('on, off, or a number of up to nine digits');
};

const checkChaos = (value: string): string => {
  try {
    parseChaos(value);
    return value;
  } catch (error) {
    return fail((error as Error).message);
  }
};

const addCommon = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--root <dir|tar>',
        'use this host folder or tar file as the root; it is only read, changes stay in memory (DIR:rw: changes go to the folder)',
      ).argParser(parseRoot),
    )
    .addOption(
      new Option('--mount <host:guest[:ro]>', 'show a host folder in the guest; repeatable')
        .argParser(parseMount)
        .default([], 'none'),
    )
    .addOption(
      new Option('--env <name=value>', 'set a variable of the program; repeatable')
        .argParser(parseEnvironment)
        .default({}, 'none'),
    )
    .option('--cwd <dir>', 'working directory in the guest')
    .addOption(
      new Option('--user <user[:group]>', 'run as this user, by name or number (default: root)').argParser(parseUser),
    )
    .addOption(new Option('--memory <size>', 'limit of guest memory, such as 512M').argParser(parseSize))
    .addOption(new Option('--cpu-time <seconds>', 'end the program after this much CPU time').argParser(parseSeconds))
    .addOption(
      new Option('--aslr <on|off|seed>', 'random addresses for programs; a number makes them repeatable').argParser(
        parseAslr,
      ),
    )
    .addOption(new Option('--engine <kind>', 'what executes programs').choices(['interpreter', 'jit', 'lockstep']))
    .addOption(new Option('--ipc <mode>', 'seal messages, or not').choices(['sealed', 'direct']).default('sealed'))
    .addOption(
      new Option(
        '--chaos <spec>',
        'let servers die and frames go astray: kill=vfs@100 (the 100th request), kill=*@0.1%, crash=vfs.mkdir/writes@2, drop|duplicate|corrupt=process@1%, seed=7; by commas',
      ).argParser(checkChaos),
    )
    .addOption(
      new Option(
        '--trace [calls]',
        'print system calls like strace; --trace=a,b,c only these, --trace=!a,b,c all but these',
      ).argParser((value: string) => (value === EVERYTHING ? '' : value)),
    )
    .addOption(
      new Option('--ipc-log [file]', 'print every message between endpoints; --ipc-log=FILE into a file').argParser(
        fileOrStandardError,
      ),
    )
    .addOption(
      new Option('--stats [file]', 'print figures as one JSON object at the end; --stats=FILE into a file').argParser(
        fileOrStandardError,
      ),
    )
    .addOption(
      new Option('--hot [file]', 'list the translated code that was executed most; --hot=FILE into a file').argParser(
        fileOrStandardError,
      ),
    );

/** What stands for the value of `--trace`, `--ipc-log` and `--stats` when they are given without one. */
const EVERYTHING = '*';
const OPTIONAL_VALUE = ['--trace', '--ipc-log', '--stats', '--hot'];
const WITH_VALUE = [
  '--root',
  '--mount',
  '--env',
  '--cwd',
  '--user',
  '--memory',
  '--cpu-time',
  '--ipc',
  '--aslr',
  '--engine',
  '--chaos',
  '-c',
];

function fileOrStandardError(value: string): true | string {
  return value === EVERYTHING ? true : value;
}

/** Gives options whose value is optional (`--trace[=calls]`) their default, so that they never take the next word. */
const withDefaults = (args: readonly string[]): string[] => {
  const out = [...args];
  let commandSeen = false;
  for (let i = 0; i < out.length; i++) {
    if (WITH_VALUE.includes(out[i])) i++;
    else if (OPTIONAL_VALUE.includes(out[i])) out[i] += `=${EVERYTHING}`;
    else if (!out[i].startsWith('-')) {
      if (commandSeen) break;
      commandSeen = true;
    }
  }
  return out;
};

/** Parses arguments (without node and script). Prints help or an error and ends the process as commander does. */
export const parseArguments = (args: readonly string[], version: string): Invocation | ImageInvocation => {
  let invocation: Invocation | ImageInvocation | undefined;
  const program = addCommon(new Command('xinim'))
    .description('A microkernel POSIX system that runs unmodified x86-64 Linux programs.')
    .version(version)
    .option('-c <command>', 'run one command line of the shell')
    .enablePositionalOptions()
    .showHelpAfterError('(xinim --help tells what there is)')
    .allowExcessArguments(false)
    .action((options: CommonOptions & { c?: string }) => {
      const { c, ...common } = options;
      invocation = { kind: 'shell', ...common, command: c };
    });
  for (const kind of ['run', 'exec'] as const) {
    const what = kind === 'run' ? 'a program file of the host, in a fresh system' : 'a program of the guest';
    addCommon(program.command(kind))
      .description(`run ${what}`)
      .argument(
        kind === 'run' ? '[program]' : '<program>',
        kind === 'run' ? 'path on the host; without it what the image runs by itself' : 'path in the guest',
      )
      .argument('[args...]', 'its arguments')
      .passThroughOptions()
      .action((path: string | undefined, rest: string[], own: CommonOptions, command: Command) => {
        const outer = program.opts<CommonOptions>();
        // Options may stand before or behind the command's name; those behind win.
        const given = Object.fromEntries(
          Object.entries(own).filter(([name]) => command.getOptionValueSource(name) !== 'default'),
        );
        const common: CommonOptions = {
          ...outer,
          ...given,
          mount: [...outer.mount, ...own.mount],
          env: { ...outer.env, ...own.env },
        };
        if (path !== undefined) invocation = { kind, ...common, path, args: rest };
        else if (common.root !== undefined) invocation = { kind: 'shell', ...common };
        else command.error("error: missing required argument 'program'");
      });
  }
  addImageCommands(program, (image) => {
    invocation = image;
  });
  program.parse(withDefaults(args), { from: 'user' });
  if (invocation === undefined) throw new Error('no command was chosen');
  return invocation;
};
