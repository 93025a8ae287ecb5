// A port of a pod at an address of this machine, by the API server, as `kubectl port-forward` does:
// for each connection a WebSocket with two channels, data and errors, the first two bytes of each
// of which are the port (kubernetes pkg/kubelet/cri/streaming/portforward/websocket.go). Whoever
// may create `pods/portforward` may do it.

import { once } from 'node:events';
import type { RequestOptions } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { abortedError, throwIfAborted } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { KubeConfig } from './kube-config-class.ts';
import { type ConnectOptions, kubeConfigOf, unusable } from './kube-config.ts';

export interface ForwardedPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

export interface Tunnel extends AsyncDisposable {
  /** At 127.0.0.1. */
  readonly port: number;
  /** What the pod's node said last of why it does not forward: nothing listens there. */
  readonly failure: string | undefined;
}

const DATA = 0;
const PORT_BYTES = 2;
const ANSWER_MS_MAX = 15_000;
const CONNECTIONS_MAX = 16;

/** What is used of a WebSocket of the package ws, whose types do not come with it. */
interface Channel {
  /** `done` is told when it is on its way, or cannot be. */
  send(bytes: Buffer, done: (error?: Error | null) => void): void;
  pause(): void;
  resume(): void;
  close(): void;
  terminate(): void;
  onclose: ((event: never) => void) | null;
}

/** The way to the pod of a connection, which may come later than its first bytes. */
interface End {
  socket: Socket | undefined;
  channel: Channel | undefined;
  readonly before: Buffer[];
  /** It was closed there, or has failed. */
  isOver: boolean;
}

type OpenEnd = End & { readonly channel: Channel };

/**
 * To be disposed of. The first connection is made at once, to know whether it may be.
 * @throws KUBE_FORBIDDEN, KUBE_NOT_FOUND, KUBE_UNAVAILABLE, KUBE_TIMEOUT, KUBE_CONFIG_INVALID
 */
export async function forwardPort(
  options: ConnectOptions,
  target: ForwardedPort,
  signal: AbortSignal,
): Promise<Tunnel> {
  throwIfAborted(signal);
  const forwarding = new Forwarding(options, target);
  await forwarding.prepare(signal);
  await forwarding.listen();
  return forwarding;
}

class Forwarding implements Tunnel {
  failure: string | undefined;
  readonly #options: ConnectOptions;
  readonly #target: ForwardedPort;
  readonly #server: Server;
  readonly #gone = new AbortController();
  readonly #sockets = new Set<Socket>();
  readonly #channels = new Set<Channel>();
  #ready: OpenEnd | undefined;

  constructor(options: ConnectOptions, target: ForwardedPort) {
    this.#options = options;
    this.#target = target;
    this.#server = createServer(socket => void this.#serve(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  get port(): number {
    // Of a TCP server that listens, the address is an AddressInfo (node:net).
    return (this.#server.address() as AddressInfo).port;
  }

  async prepare(signal: AbortSignal): Promise<void> {
    this.#ready = await this.#openInTime(signal);
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const what = `the tunnel to ${this.#target.pod} was closed`;
    this.#gone.abort(new EngineError('ABORTED', what));
    // Without waiting for the other end to agree, which it may never do.
    for (const channel of this.#channels) channel.terminate();
    for (const socket of this.#sockets) socket.destroy();
    const closed = new Promise(resolve => this.#server.close(resolve));
    await closed;
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // Whoever is connected hears of it by the end of the connection.
    socket.on('error', () => {});
    socket.pause();
    const ready = this.#ready;
    this.#ready = undefined;
    try {
      // The one that was made first may have ended before anybody came.
      const isUsable = ready !== undefined && !ready.isOver;
      join(socket, isUsable ? ready : await this.#openInTime(this.#gone.signal));
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
      socket.destroy();
    }
  }

  /** What comes too late is closed. */
  async #openInTime(signal: AbortSignal): Promise<OpenEnd> {
    const late = new AbortController();
    const ended = AbortSignal.any([this.#gone.signal, late.signal]);
    try {
      return await withinTime(this.#open(ended), this.#target, signal);
    } catch (error) {
      late.abort();
      throw error;
    }
  }

  async #open(ended: AbortSignal): Promise<OpenEnd> {
    const { namespace, pod, port } = this.#target;
    const [{ WebSocketHandler }, config] = await Promise.all([
      import('./kube-config-class.ts'),
      kubeConfigOf(this.#options),
    ]);
    const place = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/`;
    const path = `${place}${encodeURIComponent(pod)}/portforward?ports=${port}`;
    const end: End = { socket: undefined, channel: undefined, before: [], isOver: false };
    const onBytes = bytesReader({
      onData: bytes => receive(end, bytes),
      onFailure: text => {
        this.failure = text;
        end.isOver = true;
        end.socket?.destroy();
      },
    });
    try {
      const opening = new WebSocketHandler(endedBy(config, ended)).connect(path, null, onBytes);
      const channel = (await opening) as Channel; // See there.
      this.#channels.add(channel);
      channel.onclose = () => {
        this.#channels.delete(channel);
        end.isOver = true;
        end.socket?.end();
      };
      if (ended.aborted) channel.terminate();
      throwIfAborted(ended);
      return Object.assign(end, { channel });
    } catch (error) {
      throw refusal(error, this.#target);
    }
  }
}

/** Its request for a WebSocket ends with the signal, which ws hands on to node:http. */
function endedBy(config: KubeConfig, signal: AbortSignal): KubeConfig {
  const apply = config.applyToHTTPSOptions.bind(config);
  config.applyToHTTPSOptions = async (options: RequestOptions) => {
    try {
      await apply(options);
    } catch (error) {
      throw unusable('the kubeconfig', error);
    }
    options.signal = signal;
  };
  return config;
}

function bytesReader(to: {
  readonly onData: (bytes: Buffer) => void;
  readonly onFailure: (text: string) => void;
}): (channel: number, bytes: Buffer) => boolean {
  const seen = new Set<number>();
  return (channel, bytes) => {
    const rest = seen.has(channel) ? bytes : bytes.subarray(PORT_BYTES);
    seen.add(channel);
    if (rest.length === 0) return true;
    if (channel === DATA) to.onData(rest);
    else to.onFailure(rest.toString('utf8').trim());
    return true;
  };
}

/** No more is taken from there than is taken here, and the other way round. */
function receive({ socket, channel, before }: End, bytes: Buffer): void {
  if (socket === undefined) before.push(bytes);
  else if (socket.write(bytes)) return;
  channel?.pause();
}

function join(socket: Socket, end: OpenEnd): void {
  const { channel, before } = end;
  end.socket = socket;
  for (const bytes of before.splice(0)) socket.write(bytes);
  if (end.isOver) return void socket.end();
  channel.resume();
  socket.on('drain', () => channel.resume());
  socket.on('data', bytes => {
    socket.pause();
    channel.send(Buffer.concat([Buffer.of(DATA), bytes]), error => {
      if (error) socket.destroy();
      else socket.resume();
    });
  });
  socket.on('close', () => channel.close());
  if (socket.destroyed) channel.close();
  socket.resume();
}

async function withinTime<Result>(
  work: Promise<Result>,
  target: ForwardedPort,
  signal: AbortSignal,
): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(abortedError(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  const late = () =>
    reject(new EngineError('KUBE_TIMEOUT', `cannot ${whatOf(target)}: no answer in time`));
  const timer = setTimeout(late, ANSWER_MS_MAX);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    work.catch(() => {});
  }
}

function whatOf({ namespace, pod, port }: ForwardedPort): string {
  return `create pods/portforward ${namespace}/${pod} (port ${port})`;
}

/** Of a WebSocket that was refused, its message alone has the status (ws lib/websocket.js). */
function refusal(error: unknown, target: ForwardedPort): EngineError {
  if (error instanceof EngineError) return error;
  const said = typeof error === 'object' && error !== null && 'message' in error;
  const message = said ? String(error.message) : String(error);
  const status = /server response: (\d{3})/.exec(message)?.[1];
  const what = `cannot ${whatOf(target)}`;
  if (status === '403' || status === '401') {
    const text = `${what}: you have no right to it; it is kubectl port-forward's`;
    return new EngineError(status === '403' ? 'KUBE_FORBIDDEN' : 'KUBE_UNAUTHORIZED', text);
  }
  const code = status === '404' ? 'KUBE_NOT_FOUND' : 'KUBE_UNAVAILABLE';
  return new EngineError(code, `${what}: ${message}`);
}
