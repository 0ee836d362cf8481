/**
 * From what was asked on the command line to what is started: which program with which arguments, as whom, where, with which
 * environment. What the options leave open the image says, then the user's entry in the root's /etc/passwd.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { lookUpUser, type User } from '../host/node/users.ts';
import { type ProcessOptions, Xinim } from '../host/node/xinim.ts';
import type { Invocation } from './options.ts';

export interface Launch {
  readonly path: string;
  readonly args: readonly string[];
  readonly options: ProcessOptions;
}

/** Programs that are no shells but stand where one would in /etc/passwd. */
const NO_SHELLS = new Set(['', 'false', 'nologin', 'true', 'sync']);

/** The file that `run` brings into the guest; undefined for all else. Throws if it cannot be read. */
export const broughtFile = (invocation: Invocation): { path: string; data: Uint8Array } | undefined =>
  invocation.kind === 'run'
    ? { path: `/tmp/${basename(invocation.path)}`, data: readFileSync(invocation.path) }
    : undefined;

const isDirectory = async (os: Xinim, path: string): Promise<boolean> =>
  os.fs.stat(path).then(
    (stat) => stat.isDirectory(),
    () => false,
  );

const isProgram = async (os: Xinim, path: string): Promise<boolean> =>
  os.fs.stat(path).then(
    (stat) => stat.isFile() && (stat.mode & 0o111) !== 0,
    () => false,
  );

/** A program by its name as execvp(3) finds it; the name itself if it is nowhere, for the error message. */
const inPath = async (os: Xinim, name: string, path: string): Promise<string> => {
  if (name.includes('/')) return name;
  for (const folder of path.split(':')) {
    const candidate = `${folder === '' ? '.' : folder}/${name}`;
    if (await isProgram(os, candidate)) return candidate;
  }
  return name;
};

/** The user's shell, or /bin/sh if it is none or not there. */
const shellOf = async (os: Xinim, user: User): Promise<string> => {
  const usable = !NO_SHELLS.has(basename(user.shell)) && (await isProgram(os, user.shell));
  return usable ? user.shell : '/bin/sh';
};

const programOf = async (
  os: Xinim,
  invocation: Invocation,
  user: User,
  path: string,
): Promise<{ path: string; args: readonly string[]; argv0?: string }> => {
  switch (invocation.kind) {
    case 'exec':
      return { path: await inPath(os, invocation.path, path), args: invocation.args, argv0: invocation.path };
    case 'run':
      return { path: `/tmp/${basename(invocation.path)}`, args: invocation.args, argv0: invocation.path };
    case 'shell': {
      const [program, ...args] = invocation.command === undefined ? wanted(os) : [];
      if (program !== undefined) return { path: await inPath(os, program, path), args, argv0: program };
      const shell = await shellOf(os, user);
      const name = basename(shell);
      if (invocation.command !== undefined) return { path: shell, args: ['-c', invocation.command], argv0: name };
      return { path: shell, args: [], argv0: `-${name}` };
    }
  }
};

/** What the image runs by itself. */
const wanted = ({ image }: Xinim): readonly string[] =>
  image === undefined ? [] : [...image.entrypoint, ...image.cmd];

/** How the terminal behaves is the only thing of the host's environment that a guest sees, and only on a terminal. */
const hostTerminal = (): Readonly<Record<string, string>> => {
  const term = process.env['TERM'];
  return term === undefined || !process.stdin.isTTY ? {} : { TERM: term };
};

/** Throws an Error with a reason if the user is not known. */
export const launchOf = async (os: Xinim, invocation: Invocation): Promise<Launch> => {
  const { image } = os;
  const user = await lookUpUser(os.fs, invocation.user ?? image?.user ?? '0');
  const env: Record<string, string> = {
    ...Xinim.defaultEnvironment,
    HOME: user.home,
    USER: user.name,
    LOGNAME: user.name,
    SHELL: await shellOf(os, user),
    ...hostTerminal(),
    ...image?.env,
    ...invocation.env,
  };
  const home = (await isDirectory(os, user.home)) ? user.home : '/';
  const { path, args, argv0 } = await programOf(os, invocation, user, env['PATH'] ?? '');
  const { stdin, stdout, stderr } = process;
  return {
    path,
    args,
    options: {
      argv0,
      cwd: invocation.cwd ?? image?.cwd ?? home,
      env,
      uid: user.uid,
      gid: user.gid,
      groups: user.groups,
      cpuTime: invocation.cpuTime,
      stdin: stdin.isTTY ? 'console' : 'pipe',
      stdout: stdout.isTTY ? 'console' : 'pipe',
      stderr: stderr.isTTY ? 'console' : 'pipe',
    },
  };
};
