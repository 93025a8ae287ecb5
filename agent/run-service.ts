// A program of ours that stays, as a process: its settings are read, its log is opened, signals
// are listened to; it is run; and what became of it is the status that the process ends with.

import { readFileSync } from 'node:fs';
import { systemClock } from '#engine/base/clock.ts';
import { endProcess } from '#engine/base/end-process.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { errorText } from '#engine/cli/error-report.ts';
import { listenForSignals } from '#engine/cli/interruption.ts';
import { createLog, type Log, type LogOptions } from './log.ts';
import { SecretTexts } from './log-secrets.ts';
import { type ConfigOutcome, type ConfigSources, problemLines } from './read-settings.ts';

export interface Service<Config> {
  /** As it is started: `stevedore node-agent`. */
  readonly name: string;
  /** @throws USAGE; see requireNoProblems */
  readonly readConfig: (sources: ConfigSources) => ConfigOutcome<Config>;
  readonly logOf: (config: Config) => Pick<LogOptions, 'level' | 'format'> & {
    /** On each line. */
    readonly keys: Readonly<Record<string, unknown>>;
  };
  /** Returns when it was told to end and has done so. */
  readonly run: (config: Config, surroundings: Surroundings) => Promise<ServiceEnd>;
}

export interface Surroundings {
  readonly log: Log;
  readonly secrets: SecretTexts;
  /** Aborted when the process is told to end. */
  readonly signal: AbortSignal;
  /** What of flags, variables and file changes nothing. */
  readonly inert: readonly string[];
}

export interface ServiceEnd {
  /** Threads that are held in the kernel. */
  readonly hasStuckThreads: boolean;
}

/** Where the SDK looks for keys of its own (docs of the AWS SDK, "Environment variables"). */
const SECRET_VARIABLES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
const COLUMNS_DEFAULT = 100;
const EXIT_DONE = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Ends the process. */
export async function runService<Config>(service: Service<Config>): Promise<void> {
  endProcess(await endOf(service));
}

async function endOf<Config>(service: Service<Config>): Promise<number> {
  try {
    const outcome = service.readConfig({
      words: process.argv.slice(2),
      environment: process.env,
      readText: path => readFileSync(path, 'utf8'),
      columns: process.stdout.columns ?? COLUMNS_DEFAULT,
    });
    if (outcome.kind === 'config') return await runWith(service, outcome);
    process.stdout.write(outcome.text);
    return EXIT_DONE;
  } catch (error) {
    process.stderr.write(startErrorText(service.name, error));
    return statusOf(error);
  }
}

async function runWith<Config>(
  { logOf, run }: Service<Config>,
  { config, inert }: Extract<ConfigOutcome<Config>, { kind: 'config' }>,
): Promise<number> {
  const secrets = new SecretTexts();
  for (const variable of SECRET_VARIABLES) secrets.add(process.env[variable] ?? '');
  const write = (line: string) => void process.stdout.write(line);
  // Whoever read the log may be gone; the work goes on.
  process.stdout.on('error', () => {});
  const { keys, ...options } = logOf(config);
  const log = createLog({ ...options, write, secrets }).with(keys);
  const signals = {
    on: process.on.bind(process),
    off: process.off.bind(process),
    exit: endProcess,
  };
  const say = () => log.info({}, 'told to stop');
  using interruption = listenForSignals(signals, say, systemClock);
  try {
    const { signal } = interruption;
    const end = await run(config, { log, secrets, signal, inert });
    log.info({ ...end }, 'stopped');
    return EXIT_DONE;
  } catch (error) {
    log.error({ error }, 'the program has failed');
    return statusOf(error);
  }
}

function statusOf(error: unknown): number {
  return isEngineError(error, 'USAGE') ? EXIT_USAGE : EXIT_FAILED;
}

function startErrorText(name: string, error: unknown): string {
  const lines = problemLines(error);
  if (lines === undefined) return errorText(error);
  return `${name} cannot start:\n${lines}  try: ${name} --help\n`;
}
