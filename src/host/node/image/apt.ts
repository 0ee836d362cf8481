/**
 * Debian packages by the machine's own package client: apt-get solves dependencies against an empty system, so that all of them
 * are there (libc too), verifies and downloads. It works in folders of its own below the cache: neither the packages of the host nor its
 * package lists are changed. The host's sources, keys and proxies are used as they are.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';

export interface Package {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The .deb file. */
  readonly path: string;
}

export type Log = (line: string) => void;

/** A name as apt-get takes it: `name`, `name=version`, `name/suite`, `name:arch`. */
const NAME = /^[a-z0-9][a-z0-9+.-]*(:[a-z0-9]+)?([=/][A-Za-z0-9.+:~-]+)?$/;
const HOST_LISTS = '/var/lib/apt/lists';
/** What is installed: `Inst name (version origin [architecture])`. */
const INSTALLED = /^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) [^[]*\[([^\]]+)\]\)/;
const OUTPUT_MAX = 64 << 20;

/** Runs a program and gives what it wrote. Throws an Error with what it complained of. */
export const runTool = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): string => {
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    env: { ...env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    encoding: 'utf8',
    maxBuffer: OUTPUT_MAX,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (error !== undefined && (error as NodeJS.ErrnoException).code === 'ENOENT')
    throw new Error(
      `${program} is not here: images are built from Debian packages by a Debian system's own tools (a container image can be used on any with \`xinim image import\`)`,
    );
  if (error !== undefined) throw error;
  if (status !== 0) {
    const complaints = stderr.split('\n').filter((line) => /^(E|Err|W):/.test(line));
    throw new Error(
      `${program} ${args[0]} failed: ${(complaints.length > 0 ? complaints.join('\n') : stderr || stdout).trim()}`,
    );
  }
  return stdout;
};

/** A configuration that has the host's sources and proxies but runs none of its hooks, and keeps all state below `folder`. */
const configure = (folder: string): NodeJS.ProcessEnv => {
  const kept = runTool('apt-config', ['dump'])
    .split('\n')
    .filter((line) => /^(Acquire|Dir::Etc|Dir::Bin|APT::(Key|Trusted|Default-Release|Languages))/.test(line))
    .filter((line) => !/^Dir::Etc::(main|parts) /i.test(line) && !/^Acquire::(Changelogs|IndexTargets)/.test(line));
  const own = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Cache::archives': join(folder, 'archives'),
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::parts': '/dev/null',
    'Dir::Log': folder,
    'APT::Architecture': 'amd64',
    'APT::Architectures': 'amd64',
    'APT::Install-Recommends': 'false',
    'APT::Install-Suggests': 'false',
    'APT::Sandbox::User': 'root',
    'APT::Get::Assume-Yes': 'true',
    'APT::Keep-Downloaded-Packages': 'true',
    'Debug::NoLocking': 'true',
  };
  const lines = Object.entries(own).map(([key, value]) => `${key} "${value}";`);
  const file = join(folder, 'apt.conf');
  fs.writeFileSync(file, `${[...kept, ...lines].join('\n')}\n`);
  return { ...process.env, APT_CONFIG: file };
};

const hasLists = (folder: string): boolean =>
  fs.existsSync(folder) && fs.readdirSync(folder).some((name) => name.includes('_Packages'));

/** Downloads packages with all they depend on, in an order in which each comes behind what it needs. Throws Errors. */
export const downloadPackages = (names: readonly string[], folder: string, update: boolean, log: Log): Package[] => {
  for (const name of names) if (!NAME.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a package`);
  const lists = join(folder, 'state/lists');
  for (const path of ['state/lists/partial', 'cache', 'archives/partial'])
    fs.mkdirSync(join(folder, path), { recursive: true });
  fs.writeFileSync(join(folder, 'status'), '');
  const env = configure(folder);
  if (!update && !hasLists(lists) && hasLists(HOST_LISTS))
    for (const entry of fs.readdirSync(HOST_LISTS, { withFileTypes: true }))
      if (entry.isFile() && entry.name !== 'lock')
        fs.copyFileSync(join(HOST_LISTS, entry.name), join(lists, entry.name));
  if (update || !hasLists(lists)) {
    log('fetching package lists');
    runTool('apt-get', ['update'], env);
  }
  const packages = runTool('apt-get', ['install', '--simulate', ...names], env)
    .split('\n')
    .flatMap((line) => {
      const [, name, version, architecture] = INSTALLED.exec(line) ?? [];
      if (name === undefined) return [];
      const bare = name.replace(/:.*/, '');
      const file = `${bare}_${version.replaceAll(':', '%3a')}_${architecture}.deb`;
      return [{ name: bare, version, architecture, path: join(folder, 'archives', file) }];
    });
  const missing = packages.filter(({ path }) => !fs.existsSync(path)).length;
  if (missing > 0) {
    log(`downloading ${missing} of ${packages.length} packages`);
    try {
      runTool('apt-get', ['install', '--download-only', ...names], env);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n(package lists may be old or there is no network: try --update)`);
    }
  }
  for (const { path } of packages) if (!fs.existsSync(path)) throw new Error(`apt-get has not downloaded ${path}`);
  return packages;
};
