// The agent's end of one session: opens it, speaks and listens until it ends. Trying again is the
// business of coordinator-link.ts: each session has a connection of its own, with the certificates
// and the token of that moment.

import { createSecureContext } from 'node:tls';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import { type ChannelCredentials, Client, credentials, Metadata } from './grpc.ts';
import { isLoopback } from './loopback.ts';
import { MessageStream } from './message-stream.ts';
import {
  type AgentMessage,
  decodeControllerMessage,
  encodeAgentMessage,
  type ReadControllerMessage,
  SESSION_PATH,
} from './session-codec.ts';
import { errorOf, type WireStatus } from './wire-errors.ts';
import { KEEP_ALIVE_ANSWER_MS, KEEP_ALIVE_MS, TRANSPORT_BYTES_MAX } from './wire-limits.ts';

/** Certificates (PEM) that the controller's must be signed by, or plain text and a promise. */
export type ClientTrust =
  | { readonly caPem: string }
  /** Only to an address of the loopback interface. */
  | { readonly plainText: true };

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly trust: ClientTrust;
  readonly token: string;
  readonly clock: Clock;
  readonly keepAliveMs?: number;
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
  #isOver = false;

  /**
   * Connects. @throws COORDINATOR_TLS_INVALID, USAGE for plain text that would leave the machine
   */
  constructor(options: DialOptions) {
    const { host, port, clock, onMessage, token } = options;
    this.#onEnd = options.onEnd;
    this.#clock = clock;
    const target = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.#client = new Client(target, credentialsOf(options), channelOptions(options));
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
      decode: decodeControllerMessage,
      encode: encodeAgentMessage,
      pauseMs,
      onFault: error => this.#fail(error),
    });
    this.#messages.read(onMessage);
  }

  /** See MessageStream.put. */
  put(kind: string, make: () => AgentMessage | undefined): void {
    this.#messages.put(kind, make);
  }

  /** Ends it from this side, for good; the controller is told when `inPeace`. */
  close(inPeace = false): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#messages.close();
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
    this.#messages.close();
    this.#client.close();
    this.#onEnd(error);
  }
}

function pauseMs(bytes: number, sentCount: number): number {
  const ownMs = sentCount < PROMPT_MESSAGES ? 0 : PAUSE_MS;
  return Math.max(ownMs, Math.floor((bytes / BYTES_PER_SECOND) * 1000));
}

function credentialsOf({ host, trust }: DialOptions): ChannelCredentials {
  if (!('plainText' in trust)) {
    try {
      const context = createSecureContext({ ca: trust.caPem, minVersion: 'TLSv1.3' });
      return credentials.createFromSecureContext(context);
    } catch (error) {
      const what = 'the certificates to know the controller by cannot be used';
      throw new EngineError('COORDINATOR_TLS_INVALID', what, { cause: error });
    }
  }
  if (isLoopback(host)) return credentials.createInsecure();
  const what = `plain text to ${host} would show the token to the network`;
  throw new EngineError('USAGE', `${what}; it is for addresses such as 127.0.0.1 alone`);
}

function channelOptions({ keepAliveMs = KEEP_ALIVE_MS }: DialOptions) {
  return {
    'grpc.keepalive_time_ms': keepAliveMs,
    'grpc.keepalive_timeout_ms': Math.min(KEEP_ALIVE_ANSWER_MS, keepAliveMs),
    'grpc.max_receive_message_length': TRANSPORT_BYTES_MAX,
    'grpc.max_send_message_length': TRANSPORT_BYTES_MAX,
    // One connection for each session, which goes with it.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_channelz': 0,
    // A proxy is for ways out of the cluster.
    'grpc.enable_http_proxy': 0,
  };
}
