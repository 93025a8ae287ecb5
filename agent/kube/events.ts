// Tells users of something through Events of the object that it is about (`kubectl describe`).
// Nothing is said twice of one object, so none is ever changed; whoever says much says it later or
// not at all. Nobody waits for it, and nothing fails because of it (client-go tools/record).

import { systemClock, type Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import { settlesWithin } from '#engine/base/settles-within.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeObject, Resource } from './kube-object.ts';

export interface ObjectEvent {
  readonly regarding: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** `UpperCamelCase`, for programs. */
  readonly reason: string;
  /** For people; what is too long is cut. */
  readonly message: string;
}

export interface EventParts {
  readonly client: Pick<KubeClient, 'create'>;
  /** `component` and `host` of the source. */
  readonly component: string;
  readonly nodeName?: string;
  /** For the log. Must not throw. */
  readonly onError?: (error: unknown) => void;
  readonly clock?: Clock;
}

export const EVENTS: Resource = {
  group: '',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  isNamespaced: true,
};

/** events.k8s.io validation (pkg/apis/core/validation/events.go). */
const MESSAGE_BYTES_MAX = 1024;
/** Events that wait to be written; what comes on top is dropped. */
const EVENTS_WAITING_MAX = 100;
/**
 * As many at once, then one for each EVENT_MS; client-go: 25, then one in five minutes, per object.
 */
const EVENTS_AT_ONCE_MAX = 25;
const EVENT_MS = 1_000;

interface StoredEvent extends KubeObject {
  readonly involvedObject: object;
  readonly count: number;
  readonly [field: string]: unknown;
}

export class EventWriter {
  readonly #parts: EventParts;
  readonly #clock: Clock;
  readonly #end = new AbortController();
  readonly #waiting: ObjectEvent[] = [];
  #tokens = EVENTS_AT_ONCE_MAX;
  #tokensMs: number;
  #writing: Promise<void> | undefined;
  #droppedCount = 0;
  #isStopping = false;
  /** The one that was being written at the end: 1 when it was not. */
  #brokenOffCount = 0;

  constructor(parts: EventParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#tokensMs = this.#clock.monotonic();
  }

  /** How many were not written because there were too many, or at the end. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Has the event written some time. Never throws. */
  readonly emit = (event: ObjectEvent): void => {
    if (this.#isStopping) return;
    if (this.#waiting.length >= EVENTS_WAITING_MAX) {
      this.#droppedCount++;
      return;
    }
    this.#waiting.push(event);
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  };

  /** Resolves when all that waits is written. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Takes no more, writes what waits while there is time, and tells how much it could not. */
  async stop({ withinMs = 0 }: { readonly withinMs?: number } = {}): Promise<void> {
    this.#isStopping = true;
    if (withinMs > 0 && this.#writing) await settlesWithin(this.#writing, withinMs, this.#clock);
    this.#end.abort();
    await this.#writing;
    const leftCount = this.#waiting.length + this.#brokenOffCount;
    this.#waiting.length = 0;
    if (leftCount === 0) return;
    this.#droppedCount += leftCount;
    const text = `${leftCount} events were not written, because the writer was stopped`;
    this.#parts.onError?.(new EngineError('ABORTED', text));
  }

  async #writeAll(): Promise<void> {
    const { signal } = this.#end;
    // Whoever emits goes on first.
    await Promise.resolve();
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      try {
        await this.#takeToken(signal);
        await this.#write(event, signal);
      } catch (error) {
        if (signal.aborted) {
          this.#brokenOffCount = 1;
          return;
        }
        this.#parts.onError?.(error);
      }
    }
  }

  async #write(event: ObjectEvent, signal: AbortSignal): Promise<void> {
    await this.#parts.client.create(EVENTS, this.#made(event), { signal });
  }

  #made({ regarding, type, reason, message }: ObjectEvent): StoredEvent {
    const { apiVersion, kind, metadata } = regarding;
    const { name, namespace, uid, resourceVersion } = metadata;
    const time = this.#timestamp();
    return {
      metadata: {
        // Of what has no namespace, events stand in `default`.
        namespace: namespace ?? 'default',
        name: '',
        generateName: `${name.slice(0, 200)}.`,
      },
      involvedObject: { apiVersion, kind, namespace, name, uid, resourceVersion },
      type,
      reason,
      message: cutTo(message, MESSAGE_BYTES_MAX),
      source: { component: this.#parts.component, host: this.#parts.nodeName },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    };
  }

  async #takeToken(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonic();
    const earned = Math.floor((nowMs - this.#tokensMs) / EVENT_MS);
    this.#tokens = Math.min(EVENTS_AT_ONCE_MAX, this.#tokens + earned);
    this.#tokensMs += earned * EVENT_MS;
    if (this.#tokens < 1) {
      await this.#clock.sleep(this.#tokensMs + EVENT_MS - nowMs, signal);
      return this.#takeToken(signal);
    }
    this.#tokens--;
  }

  /** metav1.Time: seconds. */
  #timestamp(): string {
    return new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  }
}

function cutTo(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text;
  const cut = Buffer.from(text)
    .subarray(0, bytesMax - 3)
    .toString('utf8');
  // A character that was cut through has become U+FFFD.
  return `${cut.replace(/\ufffd+$/, '')}…`;
}
