// One run of the command, from words to exit status, with the process handed in.

import { expectTraffic, keepHeapsSmall } from '#engine/base/process-memory.ts';
import type { IoPriority } from '#engine/base/process-priority.ts';
import { parseStorageUrl } from '#engine/storage/storage-url.ts';
import type { WaitingThread } from '#engine/workers/thread.ts';
import { cacheChoice, openCache, type CacheChoice } from './cache-options.ts';
import type { Program } from './command-line.ts';
import { errorText } from './error-report.ts';
import { EXIT, type ExitStatus } from './exit-status.ts';
import {
  optionalText,
  parseIoPriority,
  parseNice,
  parseSize,
  parseThreads,
  requiredText,
  type OptionValues,
} from './option-values.ts';
import type { Output } from './output.ts';
import { chooseNewPassword, findPassword, type PasswordSources } from './password.ts';
import type { ProcessSurface } from './process-surface.ts';
import { noProgress, progressLines, type ProgressDisplay } from './progress.ts';
import { retryNotice } from './retry-notice.ts';
import { runToExit, verbAskedFor } from './run-to-exit.ts';
import { safeText } from './terminal-text.ts';
import { EPILOGUE, GLOBAL_OPTIONS, OTHER_PROGRAMS, VERBS } from './verbs.ts';
import type { Engine, Session, Surroundings, Verb } from './verb.ts';

export interface Surface extends ProcessSurface {
  readonly version: string;
  readonly surroundings: Surroundings;
  /** A progress bar; undefined where standard error is no terminal. */
  readonly bar: (() => ProgressDisplay) | undefined;
  /** Asks without echo; undefined where there is nobody to ask. */
  readonly prompt: ((question: string, signal: AbortSignal) => Promise<string>) | undefined;
  /** Of the process, for processors and disks. */
  readonly priorities: {
    readonly setNice: (nice: number) => void;
    readonly setIoPriority: (priority: IoPriority) => void;
  };
  readonly loadEngine: () => Promise<Engine>;
  /** Begins a thread, or hands over one that has begun already; to be called once. */
  readonly startThread?: () => WaitingThread;
}

/** Never rejects: a failure has been shown and is in the status. */
export async function runCommand(surface: Surface): Promise<ExitStatus> {
  const hasStack = surface.environment.STEVEDORE_DEBUG === '1';
  const failureText = (error: unknown) => errorText(error, { hasStack });
  return runToExit(surface, failureText, (output, signal) => dispatch(surface, output, signal));
}

async function dispatch(
  surface: Surface,
  output: Output,
  signal: AbortSignal,
): Promise<ExitStatus> {
  const asked = await verbAskedFor(programOf(surface), surface.words, output);
  if (asked === undefined) return EXIT.done;
  const { verb, operands, options } = asked;
  const settings = settingsOf(verb, options, surface.environment);
  const job = verb.prepare(operands, options, surface.surroundings);
  standBack(surface, options);
  return job(await sessionOf(surface, output, signal, settings));
}

/** Before there are threads, which inherit it. */
function standBack({ priorities }: Surface, options: OptionValues): void {
  const nice = parseNice(optionalText(options, 'nice'));
  const io = parseIoPriority(optionalText(options, 'ionice'));
  if (nice !== undefined) priorities.setNice(nice);
  if (io !== undefined) priorities.setIoPriority(io);
}

function programOf({ version, columns }: Surface): Program {
  return {
    name: 'stevedore',
    version,
    summary: 'Backs up directories into encrypted, deduplicated kopia repositories, and back.',
    globalOptions: GLOBAL_OPTIONS,
    verbs: VERBS,
    otherPrograms: OTHER_PROGRAMS,
    epilogue: EPILOGUE,
    columns,
  };
}

interface Settings {
  /** '' for none. */
  readonly url: string;
  readonly threads: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly isPressureHeeded: boolean;
  readonly isQuiet: boolean;
  readonly passwordFile: string | undefined;
  readonly cache: CacheChoice | undefined;
}

function settingsOf(
  { isWithoutRepository }: Verb,
  options: OptionValues,
  environment: Surface['environment'],
): Settings {
  const repo = optionalText(options, 'repo') ?? environment.STEVEDORE_REPO;
  const hint =
    'no repository is named; give --repo file:///dir or --repo s3://bucket/prefix, ' +
    'or set STEVEDORE_REPO';
  const url = isWithoutRepository ? (repo ?? '') : requiredText({ repo }, 'repo', hint);
  return {
    url,
    threads: parseThreads(optionalText(options, 'threads')),
    isPressureHeeded: options.pressureBackoff !== false,
    memoryBytes: parseSize(optionalText(options, 'memory'), '--memory'),
    isQuiet: options.quiet === true,
    passwordFile: optionalText(options, 'passwordFile'),
    cache: cacheChoice(options, environment),
  };
}

async function sessionOf(
  surface: Surface,
  output: Output,
  signal: AbortSignal,
  settings: Settings,
): Promise<Session> {
  const { url, threads, memoryBytes, isPressureHeeded } = settings;
  const engine = await surface.loadEngine();
  const onRetry = settings.isQuiet ? undefined : retryNotice(surface.say, surface.clock);
  const place = { url, storageOptions: { onRetry } };
  const passwords = passwordSources(surface, settings, signal);
  return {
    engine,
    output,
    signal,
    url: url === '' ? undefined : url,
    cache: settings.cache,
    nowMs: surface.clock.now(),
    hasBar: surface.bar !== undefined && !settings.isQuiet,
    async withProgress(work) {
      const display = displayOf(surface, settings);
      try {
        return await work(display.update);
      } finally {
        display.stop();
      }
    },
    async withRepository({ isReadOnly, isWithoutCache, startsThread, lookAhead }, work) {
      const password = await findPassword(passwords);
      const keepSmall = () => keepMemorySmall(settings);
      const waiting = startsThread ? surface.startThread?.() : undefined;
      if (waiting) waiting.onceReady(keepSmall);
      else keepSmall();
      await using cache = isWithoutCache ? undefined : await cacheOf(engine, settings, surface.say);
      await using repository = await engine.openRepository({
        ...place,
        password,
        threads,
        memoryBytes,
        isPressureHeeded,
        isReadOnly,
        startsThread,
        waiting,
        lookAhead,
        cache,
        owner: { user: surface.surroundings.user, host: surface.surroundings.host },
        onWarning: ({ message }) => surface.say(`stevedore: warning: ${safeText(message)}\n`),
        signal,
      });
      return await work(repository);
    },
    newRepository: async () => ({ ...place, password: await chooseNewPassword(passwords) }),
  };
}

function keepMemorySmall(settings: Settings): void {
  keepHeapsSmall();
  if (!isLocal(settings)) expectTraffic();
}

function isLocal({ url }: Settings): boolean {
  return parseStorageUrl(url).scheme === 'file';
}

/** None for a directory, which is read without one. */
async function cacheOf(engine: Engine, settings: Settings, say: Surface['say']) {
  const { cache } = settings;
  if (cache === undefined || isLocal(settings)) return undefined;
  return openCache(engine, cache, say);
}

function passwordSources(
  { environment, prompt }: Surface,
  { passwordFile }: Settings,
  signal: AbortSignal,
): PasswordSources {
  return {
    file: passwordFile,
    environment: environment.STEVEDORE_PASSWORD,
    prompt: prompt && (question => prompt(question, signal)),
  };
}

function displayOf({ bar, say, clock }: Surface, { isQuiet }: Settings): ProgressDisplay {
  if (isQuiet) return noProgress;
  return bar === undefined ? progressLines(say, clock) : bar();
}
