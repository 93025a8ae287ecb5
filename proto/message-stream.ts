// One end of a session: messages out through an outbox, messages in one by one, and an end that
// comes once. Knows neither who is right nor what is said; the two sides wrap it.

import type { Clock } from '#engine/base/clock.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { Outbox, type OutboxParts } from './outbox.ts';
import type { SendWatch } from './send-watch.ts';
import { MESSAGE_BYTES_MAX } from './wire-limits.ts';

/** What is used of a stream of gRPC, whose messages are bytes here. */
export interface ByteStream {
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  /** `done` when the transport has taken it, flow control of the other side included. */
  write(bytes: Buffer, done: () => void): unknown;
}

export interface MessageStreamParts<In, Out> {
  readonly stream: ByteStream;
  /** @throws COORDINATOR_MESSAGE_INVALID */
  readonly decode: (bytes: Buffer) => In;
  readonly encode: (message: Out) => Buffer;
  /** Something is wrong on this end, or with what has come: the session is to be ended with it. */
  readonly onFault: (error: EngineError) => void;
  readonly clock: Clock;
  readonly watch: SendWatch;
  readonly pauseMs?: OutboxParts['pauseMs'];
}

export class MessageStream<In, Out> {
  readonly #parts: MessageStreamParts<In, Out>;
  readonly #outbox: Outbox;
  #isClosed = false;

  constructor(parts: MessageStreamParts<In, Out>) {
    this.#parts = parts;
    this.#outbox = new Outbox({
      clock: parts.clock,
      watch: parts.watch,
      pauseMs: parts.pauseMs,
      write: (bytes, done) => void parts.stream.write(bytes, () => done()),
      onFailed: ({ isStuck, error }) => parts.onFault(sendFault(isStuck, error)),
    });
  }

  get waitingCount(): number {
    return this.#outbox.waitingCount;
  }

  /**
   * Begins to read: nothing is taken from the transport before. What `onMessage` throws is a fault.
   */
  read(onMessage: (message: In, bytes: number) => void): void {
    this.#parts.stream.on('data', (bytes: Buffer) => {
      if (this.#isClosed) return;
      try {
        if (bytes.length > MESSAGE_BYTES_MAX) throw tooLarge(bytes.length);
        onMessage(this.#parts.decode(bytes), bytes.length);
      } catch (error) {
        this.#parts.onFault(receiveFault(error));
      }
    });
  }

  /** A state of this kind has changed; `make` is called when it can be sent. */
  put(kind: string, make: () => Out | undefined): void {
    this.#outbox.put(kind, () => {
      const message = make();
      if (message === undefined) return undefined;
      const bytes = this.#parts.encode(message);
      if (bytes.length > MESSAGE_BYTES_MAX) throw tooLarge(bytes.length);
      return bytes;
    });
  }

  /** Nothing is sent or heard any more; how the transport ends is for the side to say. */
  close(): void {
    this.#isClosed = true;
    this.#outbox.close();
  }
}

function tooLarge(bytes: number): EngineError {
  const what = `a message has ${bytes} bytes, and ${MESSAGE_BYTES_MAX} are the most`;
  return new EngineError('COORDINATOR_MESSAGE_TOO_LARGE', what);
}

function sendFault(isStuck: boolean, error: unknown): EngineError {
  if (isStuck) {
    return new EngineError('COORDINATOR_TIMEOUT', 'the other side does not take what is sent');
  }
  if (isEngineError(error)) return error;
  return new EngineError('INTERNAL', 'a message cannot be made', { cause: error });
}

function receiveFault(error: unknown): EngineError {
  if (isEngineError(error)) return error;
  return new EngineError('INTERNAL', 'a message cannot be dealt with', { cause: error });
}
