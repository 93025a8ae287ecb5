// The node agent: hands the process to run-agent.ts. agent/stevedore.js starts it.

import { readFileSync } from 'node:fs';
import { systemClock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { expectTraffic, giveMemoryBack, keepProcessSmall } from '#engine/base/process-memory.ts';
import { forgetProgramPages } from '#engine/base/program-pages.ts';
import { errorText } from '#engine/cli/error-report.ts';
import { safeText } from '#engine/cli/terminal-text.ts';
import { listenForSignals } from '#engine/cli/interruption.ts';
import { readConfig } from './config.ts';
import { createLog } from './log.ts';
import { SecretTexts } from './log-secrets.ts';
import { type AgentEnd, runAgent } from './run-agent.ts';

/** Where the SDK looks for keys of its own (docs of the AWS SDK, "Environment variables"). */
const SECRET_VARIABLES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
const COLUMNS_DEFAULT = 100;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

export async function main(): Promise<void> {
  keepProcessSmall();
  expectTraffic();
  forgetProgramPages();
  const { status, hasStuckThreads } = await run();
  // All has been written. exit() would wait for threads that are held in the kernel.
  if (hasStuckThreads) process.kill(process.pid, 'SIGKILL');
  process.exit(status);
}

interface ProcessEnd extends AgentEnd {
  readonly status: number;
}

async function run(): Promise<ProcessEnd> {
  try {
    const outcome = readConfig({
      words: process.argv.slice(2),
      environment: process.env,
      readText: path => readFileSync(path, 'utf8'),
      columns: process.stdout.columns ?? COLUMNS_DEFAULT,
    });
    if (outcome.kind === 'config') return await runWith(outcome);
    process.stdout.write(outcome.text);
    return { status: 0, hasStuckThreads: false };
  } catch (error) {
    process.stderr.write(startErrorText(error));
    return failed(error);
  }
}

async function runWith({
  config,
  inert,
}: Extract<ReturnType<typeof readConfig>, { kind: 'config' }>): Promise<ProcessEnd> {
  const secrets = new SecretTexts();
  for (const name of SECRET_VARIABLES) secrets.add(process.env[name] ?? '');
  const write = (line: string) => void process.stdout.write(line);
  // Whoever read the log may be gone; moves go on.
  process.stdout.on('error', () => {});
  const { logLevel: level, logFormat: format, nodeName } = config;
  const log = createLog({ level, format, write, secrets }).with({ node: nodeName });
  const signals = {
    on: process.on.bind(process),
    off: process.off.bind(process),
    exit: (code: number) => process.exit(code),
  };
  const say = () => log.info({}, 'told to stop');
  using interruption = listenForSignals(signals, say, systemClock);
  try {
    const { signal } = interruption;
    const surroundings = { log, secrets, clock: systemClock, signal, inert };
    const end = await runAgent(config, { ...surroundings, onRest: giveMemoryBack });
    log.info({ ...end }, 'stopped');
    return { status: 0, ...end };
  } catch (error) {
    log.error({ error }, 'the agent has failed');
    return failed(error);
  }
}

function failed(error: unknown): ProcessEnd {
  const status = isEngineError(error, 'USAGE') ? EXIT_USAGE : EXIT_FAILED;
  return { status, hasStuckThreads: false };
}

/** A line for each problem of the configuration. */
function startErrorText(error: unknown): string {
  const problems: unknown = isEngineError(error, 'USAGE') ? error.details.problems : undefined;
  if (!Array.isArray(problems)) return errorText(error);
  const lines = problems.map(problem => `  ${safeText(String(problem))}\n`).join('');
  return `stevedore node-agent cannot start:\n${lines}  try: stevedore node-agent --help\n`;
}
