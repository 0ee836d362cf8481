/** A running system as the library shows it: processes with web streams, files, signals, shutdown. */
import { constants } from 'node:os';
import { Errno } from '../../abi/errno.ts';
import { saveTranslations } from '../../cpu/index.ts';
import type { ServerView } from '../../ipc/kernel-calls.ts';
import { serverViews } from '../../kernel/kernel-calls/views.ts';
import type { Spawned, Standard } from '../../kernel/spawn.ts';
import type { ExitStatus, System } from '../../system/system.ts';
import type { Driver } from './driver.ts';
import { GuestFiles } from './files.ts';
import type { ImageConfig } from './image/config.ts';
import { toBytes, unwrap } from './text.ts';

export interface ProcessOptions {
  /** Replaces the default environment (PATH, HOME, TERM …). */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
  readonly umask?: number;
  /** `pipe` (default) gives a web stream; `console` the system's console, `null` /dev/null. */
  readonly stdin?: 'pipe' | 'console' | 'null';
  readonly stdout?: 'pipe' | 'console' | 'null';
  readonly stderr?: 'pipe' | 'console' | 'null';
  /** Console for those that are one; default 0. */
  readonly terminal?: number;
  /** What argv[0] is, if not the path. */
  readonly argv0?: string;
  /** Seconds of CPU time after which the process is killed (RLIMIT_CPU). */
  readonly cpuTime?: number;
}

const CHUNK = 1 << 15;

export class GuestProcess {
  /** Bytes written here are what the process reads; null unless stdin is `pipe`. */
  readonly stdin: WritableStream<Uint8Array | string> | null;
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  readonly stderr: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** How it ended; never rejects. */
  readonly exited: Promise<ExitStatus>;
  readonly pid: number;
  readonly #xinim: Xinim;

  constructor(xinim: Xinim, spawned: Spawned) {
    this.#xinim = xinim;
    this.pid = spawned.pid;
    this.stdin = spawned.stdin === 0 ? null : this.#writer(spawned.stdin);
    this.stdout = spawned.stdout === 0 ? null : this.#reader(spawned.stdout);
    this.stderr = spawned.stderr === 0 ? null : this.#reader(spawned.stderr);
    xinim.driver.hold();
    this.exited = new Promise((resolve) => {
      xinim.system.wait(spawned.pid, (status) => {
        xinim.driver.release();
        resolve(status instanceof Errno ? { code: 255, signal: undefined } : status);
      });
    });
    xinim.driver.poke();
  }

  /** Sends a signal, by name or number. Throws XinimError ESRCH if the process is gone. */
  kill(signal: NodeJS.Signals | number = 'SIGTERM'): void {
    this.#xinim.kill(this.pid, signal);
  }

  #reader(stream: number): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { system, driver } = this.#xinim;
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: (controller) =>
          new Promise((resolve) => {
            system.readStream(stream, CHUNK, (data) => {
              if (data instanceof Errno || data.length === 0) controller.close();
              // The bytes are a view into a frame that will be used again.
              else controller.enqueue(new Uint8Array(data));
              resolve();
            });
            driver.poke();
          }),
        cancel: () => {
          system.closeStream(stream);
          driver.poke();
        },
      },
      { highWaterMark: 0 },
    );
  }

  #writer(stream: number): WritableStream<Uint8Array | string> {
    const { system, driver } = this.#xinim;
    const send = (bytes: Uint8Array, end: boolean): Promise<void> =>
      new Promise((resolve, reject) => {
        const step = (at: number): void => {
          const part = bytes.subarray(at, at + CHUNK);
          const last = at + part.length >= bytes.length;
          system.writeStream(stream, part, end && last, (taken) => {
            if (taken instanceof Errno) {
              // A process that no longer reads has ended its side: the rest is dropped as by a closed pipe.
              if (end) resolve();
              else reject(new Error(`the process does not read: ${taken.name}`));
            } else if (at + taken >= bytes.length) resolve();
            else step(at + taken);
          });
          driver.poke();
        };
        step(0);
      });
    return new WritableStream<Uint8Array | string>({
      write: (chunk) => send(typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk, false),
      close: () => send(new Uint8Array(0), true),
      abort: () => {
        system.closeStream(stream);
        driver.poke();
      },
    });
  }
}

const standard = (kind: 'pipe' | 'console' | 'null' | undefined): Standard =>
  kind === 'console' || kind === 'null' ? kind : 'stream';

const DEFAULT_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  USER: 'root',
  LOGNAME: 'root',
  SHELL: '/bin/sh',
  TERM: 'xterm-256color',
};

export class Xinim {
  /** The guest's files. */
  readonly fs: GuestFiles;
  /** How the programs of the root want to be started, if it is an image that says so. */
  readonly image: ImageConfig | undefined;
  readonly #root: { close(): void } | undefined;

  constructor(
    readonly system: System,
    readonly driver: Driver,
    root?: { readonly image?: ImageConfig; close(): void },
  ) {
    this.image = root?.image;
    this.#root = root;
    this.fs = new GuestFiles(system, () => driver.poke());
  }

  /** The environment that programs get unless told otherwise. */
  static get defaultEnvironment(): Readonly<Record<string, string>> {
    return DEFAULT_ENVIRONMENT;
  }

  /** Starts a program of the guest by its path. Throws XinimError if it cannot be started. */
  spawn(path: string, args: readonly string[] = [], options: ProcessOptions = {}): Promise<GuestProcess> {
    const { env = DEFAULT_ENVIRONMENT, cwd = '/' } = options;
    return new Promise((resolve, reject) => {
      this.system.spawn(
        {
          path: toBytes(path),
          argv: [options.argv0 ?? path, ...args].map(toBytes),
          env: Object.entries(env).map(([name, value]) => toBytes(`${name}=${value}`)),
          cwd: toBytes(cwd),
          uid: options.uid,
          gid: options.gid,
          groups: options.groups,
          umask: options.umask,
          stdin: standard(options.stdin),
          stdout: standard(options.stdout),
          stderr: standard(options.stderr),
          terminal: options.terminal,
        },
        (spawned) => {
          try {
            const started = unwrap(spawned, 'spawn', path);
            if (options.cpuTime !== undefined)
              unwrap(this.system.limitCpuTime(started.pid, options.cpuTime), 'prlimit');
            resolve(new GuestProcess(this, started));
          } catch (error) {
            reject(error);
          }
        },
      );
      this.driver.poke();
    });
  }

  /** Sends a signal to a process or, with a negative number, a process group. */
  kill(target: number, signal: NodeJS.Signals | number = 'SIGTERM'): void {
    const number = typeof signal === 'number' ? signal : constants.signals[signal];
    const failure = this.system.signal(target, number);
    this.driver.poke();
    if (failure !== undefined) unwrap(failure, 'kill');
  }

  /** The servers: health, restarts with their reasons, requests. */
  servers(): readonly ServerView[] {
    return serverViews(this.system.kernel);
  }

  /** Stops the system at once; processes that still run are gone with it. */
  async shutdown(): Promise<void> {
    this.driver.stop();
    saveTranslations();
    this.#root?.close();
  }
}
