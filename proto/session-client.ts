// The agent's end of one session: opens it, speaks and listens until it ends. Trying again is the
// business of coordinator-link.ts: each session has a connection of its own, with the certificates
// and the token of that moment.

import type { Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import { dial, type DialTarget } from './dial.ts';
import { type Client, Metadata } from './grpc.ts';
import { MessageStream } from './message-stream.ts';
import { SendWatch } from './send-watch.ts';
import {
  type AgentMessage,
  decodeControllerMessage,
  encodeAgentMessage,
  type ReadControllerMessage,
  SESSION_PATH,
} from './session-codec.ts';
import { errorOf, type WireStatus } from './wire-errors.ts';
import { CONNECT_MS_MAX } from './wire-limits.ts';

export interface DialOptions extends DialTarget {
  readonly token: string;
  readonly clock: Clock;
  readonly onMessage: (message: ReadControllerMessage) => void;
  /** Once, and not after close(). Undefined where the controller has ended it in peace. */
  readonly onEnd: (error: EngineError | undefined) => void;
}

/** The first messages of a session go out at once, later ones with a pause between them … */
const PROMPT_MESSAGES = 8;
const PAUSE_MS = 200;
/** … which is longer after a large one. Half of what the controller allows (flood-gate.ts). */
const BYTES_PER_SECOND = 512 * 1024;

/** Until the controller has heard that it is the end. */
const PARTING_MS_MAX = 1_000;

export class SessionClient {
  readonly #client: Client;
  readonly #messages: MessageStream<ReadControllerMessage, AgentMessage>;
  readonly #cancel: () => void;
  readonly #halfClose: () => void;
  readonly #onEnd: DialOptions['onEnd'];
  readonly #clock: Clock;
  readonly #parting = new AbortController();
  readonly #connecting = new AbortController();
  readonly #speaking = new AbortController();
  #isOver = false;

  /**
   * Connects. @throws COORDINATOR_TLS_INVALID, USAGE for plain text that would leave the machine
   */
  constructor(options: DialOptions) {
    const { clock, onMessage, token } = options;
    this.#onEnd = options.onEnd;
    this.#clock = clock;
    this.#client = dial(options);
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${token}`);
    const asIs = (bytes: Buffer) => bytes;
    const stream = this.#client.makeBidiStreamRequest(SESSION_PATH, asIs, asIs, metadata);
    this.#cancel = () => stream.cancel();
    this.#halfClose = () => stream.end();
    // A status that is an error comes as one too, and must have a listener.
    stream.on('error', () => undefined);
    stream.on('status', (status: WireStatus) => {
      this.#parting.abort();
      this.#over(errorOf(status));
    });
    this.#messages = new MessageStream({
      stream,
      clock,
      watch: new SendWatch(clock, this.#speaking.signal),
      decode: decodeControllerMessage,
      encode: encodeAgentMessage,
      pauseMs,
      onFault: error => this.#fail(error),
    });
    this.#messages.read(onMessage);
    // By our clock, not by gRPC's.
    this.#client.waitForReady(Number.POSITIVE_INFINITY, () => this.#connecting.abort());
    const late = () => this.#fail(new EngineError('COORDINATOR_TIMEOUT', 'no connection in time'));
    void clock.sleep(CONNECT_MS_MAX, this.#connecting.signal).then(late, () => undefined);
  }

  /** See MessageStream.put. */
  put(kind: string, make: () => AgentMessage | undefined): void {
    this.#messages.put(kind, make);
  }

  /** Ends it from this side, for good; the controller is told when `inPeace`. */
  close(inPeace = false): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connecting.abort();
    this.#messages.close();
    this.#speaking.abort();
    if (inPeace) this.#part();
    else this.#cancel();
    this.#client.close();
  }

  /** A controller that is gone does not say that it has heard. */
  #part(): void {
    this.#halfClose();
    void this.#clock
      .sleep(PARTING_MS_MAX, this.#parting.signal)
      .then(this.#cancel, () => undefined);
  }

  #fail(error: EngineError): void {
    if (this.#isOver) return;
    this.close();
    this.#onEnd(error);
  }

  #over(error: EngineError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connecting.abort();
    this.#messages.close();
    this.#speaking.abort();
    this.#client.close();
    this.#onEnd(error);
  }
}

function pauseMs(bytes: number, sentCount: number): number {
  const ownMs = sentCount < PROMPT_MESSAGES ? 0 : PAUSE_MS;
  return Math.max(ownMs, Math.floor((bytes / BYTES_PER_SECOND) * 1000));
}
