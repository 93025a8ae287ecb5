// Reads that outlast an API server which is away for a while, such as while a control plane is
// renewed: for work that has begun and would be lost by one failed answer. The client itself gives
// up after half a second, which is right for whoever can come back to it later.

import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { CallOptions, KubeClient } from './kube-client.ts';

export type KubeReader = Pick<KubeClient, 'get' | 'list'>;

export interface Patience {
  readonly clock: Clock;
  /** From the first failure on. */
  readonly patienceMs: number;
}

const PAUSE_MS = 1000;

/**
 * `client` with reads that are repeated, as long as their errors are retryable, under their signal.
 */
export function patientReader(client: KubeReader, patience: Patience): KubeReader {
  return {
    get: (resource, name, options) =>
      repeated(patience, options, () => client.get(resource, name, options)),
    list: (resource, query, options) =>
      repeated(patience, options, () => client.list(resource, query, options)),
  };
}

async function repeated<Answer>(
  { clock, patienceMs }: Patience,
  { signal }: CallOptions = {},
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const startMs = clock.monotonic();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isPassing = isEngineError(error) && error.retryable && !signal?.aborted;
      if (!isPassing || clock.monotonic() - startMs >= patienceMs) throw error;
    }
    await clock.sleep(PAUSE_MS, signal);
  }
}
