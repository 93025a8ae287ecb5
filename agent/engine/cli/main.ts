// The `stevedore` command: hands the process to run.ts. agent/stevedore.js starts it.

import { hostname, userInfo } from 'node:os';
import { systemClock } from '#engine/base/clock.ts';
import { packageVersion } from '#engine/base/package-version.ts';
import { keepProcessSmall } from '#engine/base/process-memory.ts';
import { setIoPriority, setNice } from '#engine/base/process-priority.ts';
import { forgetProgramPages } from '#engine/base/program-pages.ts';
import { promptHidden } from './password-prompt.ts';
import { runCommand } from './run.ts';
import type { Surroundings } from './verb.ts';

const COLUMNS_DEFAULT = 80;

export async function main(): Promise<void> {
  keepProcessSmall();
  forgetProgramPages();
  const { stdin, stdout, stderr } = process;
  const say = (text: string) => void stderr.write(text);
  // Losing standard error (`2>&1 | head`) must not end a backup.
  stderr.on('error', () => {});
  const columns = () => stderr.columns ?? COLUMNS_DEFAULT;
  // Only a terminal has a bar; the package that draws it need not be loaded elsewhere.
  const progressBar = stderr.isTTY ? (await import('./progress-bar.ts')).progressBar : undefined;
  const status = await runCommand({
    words: process.argv.slice(2),
    environment: process.env,
    version: packageVersion(),
    surroundings: surroundings(),
    stdout,
    columns: stdout.columns ?? COLUMNS_DEFAULT,
    say,
    bar: progressBar && (() => progressBar({ stream: stderr, columns, clock: systemClock })),
    prompt:
      stdin.isTTY && stderr.isTTY
        ? (question, signal) => promptHidden(question, stdin, say, signal)
        : undefined,
    signals: {
      on: (event, listener) => process.on(event, listener),
      off: (event, listener) => process.off(event, listener),
      exit: code => process.exit(code),
    },
    clock: systemClock,
    priorities: { setNice, setIoPriority },
    loadEngine: () => import('#engine/index.ts'),
  });
  process.exit(status);
}

/** As kopia names a machine: without its domain, in lower case (kopia repo/userhost.go). */
function surroundings(): Surroundings {
  const host = hostname().split('.', 1)[0]?.toLowerCase() ?? '';
  return {
    workingDirectory: process.cwd(),
    user: userName(),
    host: host === '' ? 'nohost' : host,
  };
}

/** A container may run under a uid that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'nobody';
  }
}
