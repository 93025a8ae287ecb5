// The command without a process around it: words in, status and text out.

import { EventEmitter } from 'node:events';
import { systemClock } from '#engine/base/clock.ts';
import { runCommand, type Surface } from '#engine/cli/run.ts';
import type { Engine } from '#engine/cli/verb.ts';
import { CollectingSink } from './collecting-sink.ts';

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly loadEngine: () => Promise<Engine>;
  readonly sink?: CollectingSink;
  readonly signals?: EventEmitter;
  /** Gets what the process was asked to run with. */
  readonly priorities?: unknown[];
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runWords(words: readonly string[], options: RunOptions): Promise<Ran> {
  const sink = options.sink ?? new CollectingSink();
  let said = '';
  const surface: Surface = {
    words,
    environment: options.environment ?? {},
    version: '1',
    surroundings: { workingDirectory: '/', user: 'me', host: 'desk' },
    stdout: sink,
    columns: 80,
    say: text => (said += text),
    bar: undefined,
    prompt: undefined,
    signals: Object.assign(options.signals ?? new EventEmitter(), { exit: () => {} }),
    clock: systemClock,
    priorities: {
      setNice: nice => options.priorities?.push(nice),
      setIoPriority: priority => options.priorities?.push(priority),
    },
    loadEngine: options.loadEngine,
  };
  return { status: await runCommand(surface), stdout: sink.text, stderr: said };
}
