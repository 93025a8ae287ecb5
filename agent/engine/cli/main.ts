// The `stevedore` command: hands the process to run.ts. agent/stevedore.js starts it.

import { systemClock } from '#engine/base/clock.ts';
import { endProcess } from '#engine/base/end-process.ts';
import { packageVersion } from '#engine/base/package-version.ts';
import { shareSystemHeap } from '#engine/base/process-memory.ts';
import { setIoPriority, setNice } from '#engine/base/process-priority.ts';
import { forgetProgramPages } from '#engine/base/program-pages.ts';
import { THREAD_ENTRY } from '#engine/snapshot/thread-entry.ts';
import type { BegunThread } from '#engine/base/begin-thread.js';
import { WaitingThread } from '#engine/workers/thread.ts';
import { promptHidden } from './password-prompt.ts';
import { processSurface, surroundings } from './process-surface.ts';
import { runCommand } from './run.ts';

const COLUMNS_DEFAULT = 80;

/** @param begun a thread that stevedore.js has begun for the command */
export async function main(begun?: BegunThread): Promise<void> {
  // So that it ends with the process, whatever becomes of the command.
  const waiting = begun && new WaitingThread(begun);
  shareSystemHeap();
  forgetProgramPages();
  const { stdin, stderr } = process;
  const surface = processSurface(COLUMNS_DEFAULT);
  const { say } = surface;
  const columns = () => stderr.columns ?? COLUMNS_DEFAULT;
  // Only a terminal has a bar; the package that draws it need not be loaded elsewhere.
  const progressBar = stderr.isTTY ? (await import('./progress-bar.ts')).progressBar : undefined;
  const status = await runCommand({
    ...surface,
    version: packageVersion(),
    surroundings: surroundings(),
    bar: progressBar && (() => progressBar({ stream: stderr, columns, clock: systemClock })),
    prompt:
      stdin.isTTY && stderr.isTTY
        ? (question, signal) => promptHidden(question, stdin, say, signal)
        : undefined,
    priorities: { setNice, setIoPriority },
    loadEngine: () => import('#engine/index.ts'),
    startThread: () => waiting ?? WaitingThread.begin(THREAD_ENTRY),
  });
  endProcess(status);
}
