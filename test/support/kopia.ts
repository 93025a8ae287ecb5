// The real kopia, for tests that hold our formats against it. Each instance is a client of its own:
// configuration, cache and logs lie in a directory that the caller gives and removes.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { accessSync, constants, createReadStream } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What clients of a test call themselves; we write under the same name. */
export const KOPIA_OWNER = Object.freeze({ user: 'user', host: 'host' });
const OUTPUT_BYTES_MAX = 256 << 20;
const RUN_MS_MAX = 300_000;

/** The program, or why there is none. */
export function findKopia(): { program?: string; reason: string } {
  const named = process.env.KOPIA_BIN;
  const built = fileURLToPath(new URL('../../out/bin', import.meta.url));
  const places = [built, ...(process.env.PATH ?? '').split(delimiter).filter(Boolean)];
  const candidates = named ? [named] : places.map(place => join(place, 'kopia'));
  const program = candidates.find(isProgram);
  const reason = 'no kopia: set KOPIA_BIN, run test/kopia/build.sh, or put one on the PATH';
  return program === undefined ? { reason } : { program, reason: '' };
}

export interface KopiaOptions {
  /** Of this client's own; made when absent. */
  readonly directory: string;
  /** Where the cache is, if not there. */
  readonly cache?: string;
  readonly password: string;
  readonly program?: string;
}

/** A snapshot as `kopia snapshot list --json` shows it, as far as tests look. */
export interface KopiaSnapshot {
  readonly id: string;
  readonly source: { readonly path: string };
  readonly stats: { readonly cachedFiles: number; readonly nonCachedFiles: number };
  readonly rootEntry: { readonly obj: string };
}

export class Kopia {
  readonly #program: string;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(options: KopiaOptions) {
    const { directory, password, program = findKopia().program } = options;
    if (program === undefined) throw new Error(findKopia().reason);
    this.#program = program;
    this.#environment = {
      ...process.env,
      KOPIA_CONFIG_PATH: join(directory, 'repository.config'),
      KOPIA_CACHE_DIRECTORY: options.cache ?? join(directory, 'cache'),
      KOPIA_LOG_DIR: join(directory, 'log'),
      KOPIA_CHECK_FOR_UPDATES: 'false',
      KOPIA_PASSWORD: password,
    };
  }

  /** Standard output; rejects with what it wrote to standard error when it fails. */
  run(...words: readonly string[]): Promise<string> {
    return this.#run(words);
  }

  /** The same with a file for its standard input. */
  runOn(path: string, ...words: readonly string[]): Promise<string> {
    return this.#run(words, path);
  }

  #run(words: readonly string[], input?: string): Promise<string> {
    const limits = { maxBuffer: OUTPUT_BYTES_MAX, timeout: RUN_MS_MAX };
    return new Promise((resolve, reject) => {
      const options = { ...limits, env: this.#environment, encoding: 'utf8' as const };
      const child = execFile(this.#program, words, options, (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        const tail = (stderr || error.message).slice(-4000);
        reject(new Error(`kopia ${words.slice(0, 8).join(' ')} failed: ${tail}`, { cause: error }));
      });
      if (input === undefined || child.stdin === null) return;
      // What ends early has said why.
      child.stdin.on('error', () => undefined);
      createReadStream(input).pipe(child.stdin);
    });
  }

  /** The same for whoever kills it, or does not care for what it writes. */
  start(...words: readonly string[]): ChildProcess {
    return spawn(this.#program, words, { env: this.#environment, stdio: 'ignore' });
  }

  async create(repository: string, ...flags: readonly string[]): Promise<void> {
    const place = ['filesystem', '--path', repository, ...CLIENT];
    await this.run('repository', 'create', ...place, ...flags);
  }

  async connect(repository: string): Promise<void> {
    await this.run('repository', 'connect', 'filesystem', '--path', repository, ...CLIENT);
  }

  async snapshots(): Promise<KopiaSnapshot[]> {
    const text = await this.run('snapshot', 'list', '--all', '--show-identical', '--json');
    return JSON.parse(text) as KopiaSnapshot[];
  }

  /** Reads everything that these snapshots hold, and every content of the repository. */
  async verify(snapshotIds: readonly string[]): Promise<void> {
    await this.run('snapshot', 'verify', '--verify-files-percent=100', ...snapshotIds);
    await this.run('content', 'verify', '--full', '--include-deleted');
  }

  async maintain(): Promise<void> {
    await this.run('maintenance', 'run', '--full', '--safety=none');
  }
}

const CLIENT = [
  `--override-username=${KOPIA_OWNER.user}`,
  `--override-hostname=${KOPIA_OWNER.host}`,
  '--no-check-for-updates',
];

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
