/**
 * What an image says of how its programs are started: the part of an OCI image configuration that means something here. A
 * root kept as a tar file has it as the comment of its global header, which other programs that read tar files pass over.
 */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** `name`, `uid`, `name:group` …, as --user takes it. */
  readonly user?: string;
  /** Where it comes from: the image's names, or the packages it was built of. */
  readonly source?: readonly string[];
}

const MARK = 'xinim-image ';

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** `NAME=VALUE` strings as an object. */
export const environmentOf = (list: readonly string[]): Record<string, string> => {
  const env: Record<string, string> = {};
  for (const item of list) {
    const at = item.indexOf('=');
    if (at > 0) env[item.slice(0, at)] = item.slice(at + 1);
  }
  return env;
};

/** The `config` object of an OCI image configuration (or of Docker's older form, which is the same). */
export const fromOci = (config: unknown, source: readonly string[]): ImageConfig => {
  const given = (typeof config === 'object' && config !== null ? config : {}) as Record<string, unknown>;
  return {
    entrypoint: strings(given['Entrypoint']),
    cmd: strings(given['Cmd']),
    env: environmentOf(strings(given['Env'])),
    cwd: text(given['WorkingDir']),
    user: text(given['User']),
    source,
  };
};

/** As a comment of one line; names that are not ASCII are escaped. */
export const toComment = (config: ImageConfig): string =>
  MARK +
  JSON.stringify(config).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The configuration in an archive's comment; undefined if there is none. */
export const fromComment = (comment: string): ImageConfig | undefined => {
  if (!comment.startsWith(MARK)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(comment.slice(MARK.length));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const given = parsed as Record<string, unknown>;
  const env = given['env'];
  const pairs = typeof env === 'object' && env !== null ? Object.entries(env) : [];
  return {
    entrypoint: strings(given['entrypoint']),
    cmd: strings(given['cmd']),
    env: Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string')),
    cwd: text(given['cwd']),
    user: text(given['user']),
    source: strings(given['source']),
  };
};
