// A port of a pod at an address of this machine, by the API server, as `kubectl port-forward` does:
// for each connection a WebSocket with two channels, data and errors, the first two bytes of each
// of which are the port (kubernetes pkg/kubelet/cri/streaming/portforward/websocket.go). Whoever
// may create `pods/portforward` may do it.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { abortedError, throwIfAborted } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import { type ConnectOptions, kubeConfigOf } from './kube-config.ts';

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

/** What is used of a WebSocket. */
interface Channel {
  send(bytes: Buffer): void;
  close(): void;
  onclose: ((event: never) => void) | null;
}

/** The other end of a connection, which may come later than its first bytes. */
interface End {
  socket: Socket | undefined;
  readonly before: Buffer[];
  readonly channel: Channel;
}

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
  await withinTime(forwarding.prepare(), target, signal);
  await forwarding.listen();
  return forwarding;
}

class Forwarding implements Tunnel {
  failure: string | undefined;
  readonly #options: ConnectOptions;
  readonly #target: ForwardedPort;
  readonly #server: Server;
  readonly #ends = new Set<End>();
  #ready: End | undefined;

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

  async prepare(): Promise<void> {
    this.#ready = await this.#open();
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket, channel } of this.#ends) {
      channel.close();
      socket?.destroy();
    }
    const closed = new Promise(resolve => this.#server.close(resolve));
    await closed;
  }

  async #serve(socket: Socket): Promise<void> {
    // Whoever is connected hears of it by the end of the connection.
    socket.on('error', () => {});
    socket.pause();
    try {
      const end = this.#ready ?? (await this.#open());
      this.#ready = undefined;
      end.socket = socket;
      for (const bytes of end.before.splice(0)) socket.write(bytes);
      socket.on('data', bytes => end.channel.send(Buffer.concat([Buffer.of(DATA), bytes])));
      socket.on('close', () => {
        this.#ends.delete(end);
        end.channel.close();
      });
      socket.resume();
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
      socket.destroy();
    }
  }

  async #open(): Promise<End> {
    const { namespace, pod, port } = this.#target;
    const [{ WebSocketHandler }, config] = await Promise.all([
      import('./kube-config-class.ts'),
      kubeConfigOf(this.#options),
    ]);
    const place = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/`;
    const path = `${place}${encodeURIComponent(pod)}/portforward?ports=${port}`;
    const seen = new Set<number>();
    const before: Buffer[] = [];
    let end: End | undefined;
    const onBytes = (channel: number, bytes: Buffer): boolean => {
      const isFirst = !seen.has(channel);
      seen.add(channel);
      const rest = isFirst ? bytes.subarray(PORT_BYTES) : bytes;
      if (channel === DATA) {
        if (end?.socket === undefined) before.push(rest);
        else end.socket.write(rest);
      } else if (rest.length > 0) {
        this.failure = rest.toString('utf8').trim();
        end?.socket?.destroy();
      }
      return true;
    };
    try {
      const opening = new WebSocketHandler(config).connect(path, null, onBytes);
      // A WebSocket of the package ws, whose types do not come with it.
      const channel = (await opening) as Channel;
      const opened: End = { socket: undefined, before, channel };
      channel.onclose = () => opened.socket?.end();
      this.#ends.add(opened);
      end = opened;
      return opened;
    } catch (error) {
      throw refusal(error, this.#target);
    }
  }
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
