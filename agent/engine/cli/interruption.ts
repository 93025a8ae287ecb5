// Signals. The first one asks the job to stop, which leaves nothing half-published; the second one
// ends the process where it stands, which the repository survives as well, only less tidily.

import type { Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import { EXIT } from './exit-status.ts';

export interface SignalSource {
  on(event: 'SIGINT' | 'SIGTERM', listener: (name: NodeJS.Signals) => void): unknown;
  off(event: 'SIGINT' | 'SIGTERM', listener: (name: NodeJS.Signals) => void): unknown;
  exit(status: number): void;
}

export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * A Ctrl-C can arrive twice, from the terminal and from the launcher that passes signals on; nobody
 * presses it twice in so short a time.
 */
const SAME_SIGNAL_MS = 200;

/** Listens until disposed. */
export function listenForSignals(
  source: SignalSource,
  say: (text: string) => void,
  clock: Clock,
): Interruption {
  const controller = new AbortController();
  let firstMs = 0;
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      if (clock.monotonic() - firstMs >= SAME_SIGNAL_MS) source.exit(EXIT.killed);
      return;
    }
    firstMs = clock.monotonic();
    say(`stevedore: ${name}: stopping cleanly; once more to quit at once\n`);
    controller.abort(
      new EngineError('ABORTED', `stopped by ${name}; run the same command to go on`),
    );
  };
  source.on('SIGINT', onSignal);
  source.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      source.off('SIGINT', onSignal);
      source.off('SIGTERM', onSignal);
    },
  };
}
