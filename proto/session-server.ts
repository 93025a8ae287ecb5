// The controller's end of the transport: HTTP/2 and gRPC on connections that somebody else has
// accepted, so that limits, handshakes and certificates are in one place (controller/sessions).
// Gives each call as it comes, unread; whoever gets it accepts or refuses it.

import type { Duplex } from 'node:stream';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import { bearerToken } from './bearer-token.ts';
import {
  type ConnectionInjector,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type UntypedHandleCall,
} from './grpc.ts';
import { OverviewCall } from './overview-call.ts';
import { MessageStream } from './message-stream.ts';
import { SendWatch } from './send-watch.ts';
import {
  type ControllerMessage,
  decodeAgentMessage,
  encodeControllerMessage,
  OVERVIEW_PATH,
  type ReadAgentMessage,
  SESSION_PATH,
} from './session-codec.ts';
import { statusOf } from './wire-errors.ts';
import { KEEP_ALIVE_ANSWER_MS, KEEP_ALIVE_MS, TRANSPORT_BYTES_MAX } from './wire-limits.ts';

/** A connection, as both node:net and node:tls have it. */
export interface Connection extends Duplex {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
}

export interface SessionServerOptions {
  readonly clock: Clock;
  readonly onCall: (call: SessionCall) => void;
  /** Somebody wants to see how things stand. Without it there is nothing to see. */
  readonly onOverview?: (call: OverviewCall) => void;
  readonly keepAliveMs?: number;
}

/** Streams of one connection; an agent has one, and one that is just ending. */
const STREAMS_MAX = 4;
/** A connection on which nobody has asked for a session. */
const CONNECTION_IDLE_MS = 60_000;
/** Until an end has reached the other side; then the connection is cut. */
const END_MS_MAX = 1_000;

type Bytes = ServerDuplexStream<Buffer, Buffer>;

export class SessionServer {
  readonly #options: SessionServerOptions;
  readonly #server: Server;
  readonly #injector: ConnectionInjector;
  readonly #connections = new Map<string, Connection>();
  readonly #end = new AbortController();
  readonly #watch: SendWatch;

  constructor(options: SessionServerOptions) {
    this.#options = options;
    this.#watch = new SendWatch(options.clock, this.#end.signal);
    this.#server = new Server(serverOptions(options));
    const handle = (stream: Bytes) => this.#call(stream);
    const asIs = (bytes: Buffer) => bytes;
    // The type of a handler is that of any handler (UntypedHandleCall is handleCall<any, any>).
    const untyped: UntypedHandleCall = handle;
    this.#server.register(SESSION_PATH, untyped, asIs, asIs, 'bidi');
    const { onOverview } = options;
    if (onOverview !== undefined) {
      const show = (call: ServerUnaryCall<Buffer, Buffer>, send: sendUnaryData<Buffer>) =>
        onOverview(new OverviewCall(call, send));
      const untypedToo: UntypedHandleCall = show;
      this.#server.register(OVERVIEW_PATH, untypedToo, asIs, asIs, 'unary');
    }
    // Connections come with their TLS done, or without any from the loopback interface.
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** From now on the server's; it ends with its last call, or when it is idle. */
  inject(connection: Connection): void {
    // A handshake that was under way when the server was stopped.
    if (this.#end.signal.aborted) return void connection.destroy();
    const peer = `${connection.remoteAddress ?? ''}:${connection.remotePort ?? ''}`;
    this.#connections.set(peer, connection);
    connection.once('close', () => {
      if (this.#connections.get(peer) === connection) this.#connections.delete(peer);
    });
    // HTTP/2 tells of errors on its own; this is for those between the two.
    connection.on('error', () => undefined);
    this.#injector.injectConnection(connection);
  }

  /** Ends what is left. Sessions are told by whoever has them, before. */
  stop(): void {
    this.#end.abort();
    this.#injector.destroy();
    this.#server.forceShutdown();
    for (const connection of this.#connections.values()) connection.destroy();
  }

  #call(stream: Bytes): void {
    const peer = stream.getPeer();
    const { clock, onCall } = this.#options;
    const cut = () => this.#connections.get(peer)?.destroy();
    const parts = { stream, peer, clock, cut, watch: this.#watch, serverEnd: this.#end.signal };
    onCall(new SessionCall(parts));
  }
}

interface CallParts {
  readonly stream: Bytes;
  readonly peer: string;
  readonly clock: Clock;
  readonly cut: () => void;
  readonly watch: SendWatch;
  readonly serverEnd: AbortSignal;
}

/** A session that is asked for, and then one. Nothing is read before read(). */
export class SessionCall {
  readonly #parts: CallParts;
  readonly #messages: MessageStream<ReadAgentMessage, ControllerMessage>;
  readonly #gone = new AbortController();
  #isEnded = false;
  #onFault: (error: EngineError) => void = error => this.end(error);

  constructor(parts: CallParts) {
    const { clock, stream, watch } = parts;
    this.#parts = parts;
    this.#messages = new MessageStream({
      stream,
      clock,
      watch,
      decode: decodeAgentMessage,
      encode: encodeControllerMessage,
      onFault: error => this.#onFault(error),
    });
    stream.once('cancelled', () => {
      this.#messages.close();
      this.#gone.abort(new EngineError('COORDINATOR_UNAVAILABLE', 'the agent is gone'));
    });
  }

  /** Fires when the other side is gone, or has been told the end. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Without its port. */
  get address(): string {
    return this.#parts.peer.replace(/:\d+$/, '');
  }

  /** Undefined where there is none. Nobody has looked at it. */
  get token(): string | undefined {
    return bearerToken(this.#parts.stream.metadata);
  }

  /** `onFault` is to end it. */
  read(handlers: {
    readonly onMessage: (message: ReadAgentMessage, bytes: number) => void;
    readonly onHalfClose: () => void;
    readonly onFault: (error: EngineError) => void;
  }): void {
    this.#onFault = handlers.onFault;
    this.#parts.stream.once('end', () => handlers.onHalfClose());
    this.#messages.read(handlers.onMessage);
  }

  /** See MessageStream.put. */
  put(kind: string, make: () => ControllerMessage | undefined): void {
    this.#messages.put(kind, make);
  }

  /** Ends it, with an error or in peace; then the connection, if it does not by itself. */
  end(error?: EngineError, retryMs?: number): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { stream, clock, cut, serverEnd } = this.#parts;
    this.#messages.close();
    if (error === undefined) stream.end();
    // How grpc-js is told a status with trailers (server-call.ts).
    else stream.emit('error', Object.assign(new Error(error.message), statusOf(error, retryMs)));
    void clock.sleep(END_MS_MAX, serverEnd).then(cut, () => undefined);
  }
}

function serverOptions({ keepAliveMs = KEEP_ALIVE_MS }: SessionServerOptions) {
  return {
    'grpc.keepalive_time_ms': keepAliveMs,
    'grpc.keepalive_timeout_ms': Math.min(KEEP_ALIVE_ANSWER_MS, keepAliveMs),
    'grpc.max_receive_message_length': TRANSPORT_BYTES_MAX,
    'grpc.max_send_message_length': TRANSPORT_BYTES_MAX,
    'grpc.max_concurrent_streams': STREAMS_MAX,
    'grpc.max_connection_idle_ms': CONNECTION_IDLE_MS,
    'grpc.enable_channelz': 0,
  };
}
