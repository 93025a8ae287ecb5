// What goes between the agent, the API server and the storage: requests, what was sent again and
// why, and how long that took. Labels are from fixed lists.

import { isEngineError } from '#engine/base/errors.ts';
import type { OpenStorageOptions, StorageMetrics } from '#engine/index.ts';
import type { RequestAttempt } from '#kube/http-client.ts';
import { Counter, Histogram, type Registry } from './prometheus.ts';

export type Service = 'kubernetes' | 'storage';
type StorageSample = Parameters<StorageMetrics['operationEnded']>[0];
type StorageRetry = Parameters<NonNullable<OpenStorageOptions['onRetry']>>[0];

const SERVICES: readonly Service[] = ['kubernetes', 'storage'];
/** The end of a code says what went wrong, whoever it was that failed. */
const REASONS: Readonly<Record<string, string>> = Object.freeze({
  KUBE_THROTTLED: 'throttled',
  STORAGE_THROTTLED: 'throttled',
  KUBE_UNAVAILABLE: 'unavailable',
  STORAGE_UNAVAILABLE: 'unavailable',
  KUBE_TIMEOUT: 'timeout',
  STORAGE_TIMEOUT: 'timeout',
  KUBE_CONFLICT: 'conflict',
  KUBE_UNAUTHORIZED: 'denied',
  KUBE_FORBIDDEN: 'denied',
  STORAGE_ACCESS_DENIED: 'denied',
  KUBE_NOT_FOUND: 'absent',
  STORAGE_BLOB_NOT_FOUND: 'absent',
  ABORTED: 'aborted',
});
const RETRY_REASONS = ['throttled', 'unavailable', 'timeout', 'other'];
const SECONDS_BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300];

export class TrafficMetrics {
  readonly #requests: Counter<'verb' | 'outcome'>;
  readonly #operations: Counter<'operation' | 'outcome'>;
  readonly #bytes: Counter<'operation'>;
  readonly #seconds: Histogram<'operation'>;
  readonly #retries: Counter<'service' | 'reason'>;
  readonly #waits: Counter<'service' | 'reason'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requests = new Counter({
      name: 'stevedore_kube_requests_total',
      help: 'Requests to the API server, each attempt',
      labelNames: ['verb', 'outcome'],
      registers,
    });
    this.#operations = new Counter({
      name: 'stevedore_storage_operations_total',
      help: 'What the storage was asked for, each attempt',
      labelNames: ['operation', 'outcome'],
      registers,
    });
    this.#bytes = new Counter({
      name: 'stevedore_storage_bytes_total',
      help: 'Bytes of blobs that went to the storage and came from it',
      labelNames: ['operation'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'stevedore_storage_operation_seconds',
      help: 'How long the storage took, each attempt',
      labelNames: ['operation'],
      buckets: SECONDS_BUCKETS,
      registers,
    });
    const again = (name: string, help: string) =>
      new Counter({ name, help, labelNames: ['service', 'reason'], registers });
    this.#retries = again('stevedore_retries_total', 'What was sent again, and why');
    this.#waits = again('stevedore_retry_wait_seconds_total', 'Waiting before it was sent again');
    // From the start, so that a rate is there for the first one.
    for (const service of SERVICES) {
      for (const reason of RETRY_REASONS) this.#sentAgain(service, reason, 0, 0);
    }
  }

  /** For `onAttempt` of the client. */
  readonly requestEnded = ({ target, error, retryDelayMs }: RequestAttempt): void => {
    const outcome = outcomeOf(error);
    this.#requests.inc({ verb: target.verb, outcome });
    if (retryDelayMs !== undefined) this.#sentAgain('kubernetes', outcome, retryDelayMs);
  };

  /** For `metrics` of a storage. */
  readonly operationEnded = ({ operation, outcome, bytes, durationMs }: StorageSample): void => {
    this.#operations.inc({ operation, outcome: outcome === 'ok' ? outcome : reasonOf(outcome) });
    if (operation === 'get' || operation === 'put') this.#bytes.inc({ operation }, bytes);
    this.#seconds.observe({ operation }, durationMs / 1000);
  };

  /** For `onRetry` of a storage. */
  readonly operationRetried = ({ error, delayMs }: StorageRetry): void => {
    this.#sentAgain('storage', outcomeOf(error), delayMs);
  };

  #sentAgain(service: Service, outcome: string, delayMs: number, count = 1): void {
    const reason = RETRY_REASONS.includes(outcome) ? outcome : 'other';
    this.#retries.inc({ service, reason }, count);
    this.#waits.inc({ service, reason }, delayMs / 1000);
  }
}

function outcomeOf(error: unknown): string {
  if (error === undefined) return 'ok';
  return isEngineError(error) ? reasonOf(error.code) : 'other';
}

function reasonOf(code: string): string {
  return Object.hasOwn(REASONS, code) ? (REASONS[code] ?? 'other') : 'other';
}
