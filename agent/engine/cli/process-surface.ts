// The process, as each of the commands is handed it: what a test puts in its place is in one piece.

import { hostname, userInfo } from 'node:os';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import { endProcess } from '#engine/base/end-process.ts';
import type { SignalSource } from './interruption.ts';
import type { ByteSink } from './output.ts';
import type { Surroundings } from './verb.ts';

export interface ProcessSurface {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: ByteSink;
  /** Of standard output, where it is a terminal. */
  readonly columns: number;
  /** Writes to standard error. */
  readonly say: (text: string) => void;
  readonly signals: SignalSource;
  readonly clock: Clock;
}

/** To be called once: it listens to standard error from then on. */
export function processSurface(columnsDefault: number): ProcessSurface {
  const { stdout, stderr } = process;
  // Losing standard error (`2>&1 | head`) must not end a backup.
  stderr.on('error', () => {});
  return {
    words: process.argv.slice(2),
    environment: process.env,
    stdout,
    columns: stdout.columns ?? columnsDefault,
    say: text => void stderr.write(text),
    signals: {
      on: (event, listener) => process.on(event, listener),
      off: (event, listener) => process.off(event, listener),
      exit: endProcess,
    },
    clock: systemClock,
  };
}

/** As kopia names a machine: without its domain, in lower case (kopia repo/userhost.go). */
export function surroundings(): Surroundings {
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
