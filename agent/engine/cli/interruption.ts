// Signals. The first one asks the job to stop, which leaves nothing half-published; the second one
// ends the process where it stands, which the repository survives as well, only less tidily.

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

/** Listens until disposed. */
export function listenForSignals(source: SignalSource, say: (text: string) => void): Interruption {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) return source.exit(EXIT.killed);
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
