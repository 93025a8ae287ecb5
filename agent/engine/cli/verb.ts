// What a verb of the command is: its words, its options, and a function that turns what was typed
// into a job. Preparing a job is pure and reports wrong usage; only running it touches the world.

import type * as engine from '#engine/index.ts';
import type { CacheChoice } from './cache-options.ts';
import type { Progress } from './progress.ts';
import type { OpenStorageOptions } from '#engine/storage/open-storage.ts';
import type { ExitStatus } from './exit-status.ts';
import type { OptionValues } from './option-values.ts';
import type { Output } from './output.ts';

/** The library as the command sees it. Verbs get it handed, so that `--help` need not load it. */
export type Engine = typeof engine;
export type Repository = Awaited<ReturnType<Engine['openRepository']>>;

export interface OptionRow {
  /** `--tag <key:value>`; a long name always. */
  readonly flags: string;
  readonly text: string;
  /** May be given several times; its value is a list. */
  readonly isRepeatable?: boolean;
}

export interface Example {
  readonly command: string;
  readonly text: string;
}

/** What the machine says about itself; a value, so that preparing a job stays pure. */
export interface Surroundings {
  readonly workingDirectory: string;
  readonly user: string;
  readonly host: string;
}

/** What the global options say about where the repository is. */
export interface RepositoryPlace {
  readonly url: string;
  readonly storageOptions: OpenStorageOptions;
}

/** What a job wants of the repository that is opened for it. */
export interface RepositoryMode {
  readonly isReadOnly: boolean;
  /** Of verbs that look at what the storage has, and not at what a cache has of it. */
  readonly isWithoutCache?: boolean;
  readonly startsThread?: boolean;
  readonly lookAhead?: Uint8Array;
}

/** What a job runs with. */
export interface Session {
  readonly engine: Engine;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly nowMs: number;
  /** Undefined where none is named, for verbs that need none. */
  readonly url: string | undefined;
  /** Which cache the options name. */
  readonly cache: CacheChoice | undefined;
  /** Shows progress on standard error for as long as `work` runs. */
  readonly withProgress: <Result>(work: (update: Progress) => Promise<Result>) => Promise<Result>;
  /** Whether a person watches a bar, so that finding out a total is worth something. */
  readonly hasBar: boolean;
  /** Opens the repository that the global options name; closed when `work` has settled. */
  readonly withRepository: <Result>(
    mode: RepositoryMode,
    work: (repository: Repository) => Promise<Result>,
  ) => Promise<Result>;
  /** Where a new repository goes, and its password (asked for twice on a terminal). */
  readonly newRepository: () => Promise<RepositoryPlace & { readonly password: string }>;
}

export type Job = (session: Session) => Promise<ExitStatus>;

/** What the command line and help know of a verb, of this program or of another one. */
export interface VerbRow {
  /** `['repo', 'create']` */
  readonly words: readonly string[];
  /** As in help: `<path>`, `[id...]`. */
  readonly operands: string;
  readonly summary: string;
  /** Paragraphs below the usage line. */
  readonly description: string;
  readonly options: readonly OptionRow[];
  readonly examples: readonly Example[];
}

export interface Verb extends VerbRow {
  /** Whether it does without a repository, and --repo may be missing. */
  readonly isWithoutRepository?: boolean;
  /** @throws USAGE */
  readonly prepare: (
    operands: readonly string[],
    options: OptionValues,
    surroundings: Surroundings,
  ) => Job;
}
