// A controller's sessions for real: TLS on the loopback interface, gRPC on top, tokens that an
// emulated API server looks at; and agents, good and bad.

import type { Test } from 'tap';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import type { EngineError } from '#engine/base/errors.ts';
import type { AgentSession } from '#controller/sessions/agent-session.ts';
import {
  AgentSessions,
  type RefusedSession,
  type SessionEvents,
} from '#controller/sessions/agent-sessions.ts';
import { RefusalCounts } from '#controller/sessions/refusals.ts';
import {
  listenInPlainText,
  listenWithTls,
  type SessionListener,
} from '#controller/sessions/session-listener.ts';
import type { TlsPair } from '#controller/sessions/tls-files.ts';
import { TokenReviews } from '#controller/sessions/token-reviews.ts';
import type { AgentSaying } from '#proto/agent-saying.ts';
import { Client, credentials, Metadata, type ClientDuplexStream } from '#proto/grpc.ts';
import { type ReadControllerMessage, SESSION_PATH } from '#proto/session-codec.ts';
import type { ClientTrust } from '#proto/dial.ts';
import { SessionClient } from '#proto/session-client.ts';
import { SessionServer } from '#proto/session-server.ts';
import { errorOf, type WireStatus } from '#proto/wire-errors.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { type Authority, makeAuthority, makePair } from '#test/support/certificates.ts';

export const EXPECTED = {
  audience: TOKEN_AUDIENCE,
  namespace: 'velero',
  serviceAccount: 'stevedore',
} as const;

export interface SceneOptions {
  readonly events?: Partial<SessionEvents>;
  readonly clock?: Clock;
  readonly pair?: (authority: Authority) => TlsPair;
  readonly isPlainText?: boolean;
  readonly port?: number;
  /** These two for a controller that comes after another one. */
  readonly api?: KubeEmulator;
  readonly authority?: Authority;
}

export class SessionScene {
  readonly api: KubeEmulator;
  readonly authority: Authority;
  readonly counts = new RefusalCounts();
  readonly refused: RefusedSession[] = [];
  readonly heard: { readonly node: string; readonly saying: AgentSaying }[] = [];
  readonly opened: AgentSession[] = [];
  readonly closed: AgentSession[] = [];
  readonly sessions: AgentSessions;
  readonly server: SessionServer;
  listener: SessionListener | undefined;
  readonly #watchers = new Set<() => void>();

  constructor(api: KubeEmulator, options: SceneOptions) {
    const { events = {}, clock = systemClock } = options;
    this.api = api;
    this.authority = options.authority ?? makeAuthority();
    const reviews = new TokenReviews({ client: api.client(), expected: EXPECTED, clock });
    this.sessions = new AgentSessions({
      version: 'test',
      clock,
      nodeOf: token => reviews.nodeOf(token),
      counts: this.counts,
      onRefused: refused => {
        this.refused.push(refused);
        this.#changed();
      },
      events: {
        opened: session => {
          this.opened.push(session);
          events.opened?.(session);
          this.#changed();
        },
        heard: (session, saying) => {
          this.heard.push({ node: session.node, saying });
          events.heard?.(session, saying);
          this.#changed();
        },
        closed: session => {
          this.closed.push(session);
          events.closed?.(session);
          this.#changed();
        },
      },
    });
    this.server = new SessionServer({ clock, onCall: this.sessions.onCall });
  }

  get port(): number {
    return this.listener?.port ?? 0;
  }

  get trust(): ClientTrust {
    return { caPem: this.authority.certificate };
  }

  /** A token as the kubelet mounts it into the agent's pod on `node`. */
  tokenOf(node: string): string {
    const pod = { name: `agent-${node}`, uid: `uid-${node}` };
    return this.api.serviceTokens.issue({ ...EXPECTED, audiences: [TOKEN_AUDIENCE], pod, node });
  }

  /** When something has happened after which `isSo`. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>(resolve => this.#watchers.add(resolve));
  }

  async stop(): Promise<void> {
    await this.listener?.close();
    this.sessions.stop();
    this.server.stop();
  }

  #changed(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const watcher of watchers) watcher();
  }
}

export async function startScene(t: Test, options: SceneOptions = {}): Promise<SessionScene> {
  const api = options.api ?? (await startKubeEmulator());
  const scene = new SessionScene(api, options);
  const { counts, server } = scene;
  const parts = { counts, onConnection: server.inject.bind(server) };
  const at = { host: '127.0.0.1', port: options.port ?? 0 };
  const pair = (options.pair ?? makePair)(scene.authority);
  scene.listener = options.isPlainText
    ? await listenInPlainText(at, parts)
    : await listenWithTls(pair, at, parts);
  t.teardown(async () => {
    await scene.stop();
    if (options.api === undefined) await api.stop();
  });
  return scene;
}

export interface AgentOptions {
  readonly node?: string;
  /** The node that it says it is, where that is another. */
  readonly says?: string;
  readonly token?: string;
  readonly trust?: ClientTrust;
  readonly host?: string;
  readonly session?: number;
  readonly wireVersion?: number;
  readonly clock?: Clock;
}

/** An agent's end of a session, and what became of it. */
export class TestAgent {
  readonly client: SessionClient;
  readonly messages: ReadControllerMessage[] = [];
  /** With its first message, which is Welcome. */
  readonly welcomed: Promise<ReadControllerMessage>;
  /** Undefined where it ended in peace. */
  readonly ended: Promise<EngineError | undefined>;

  constructor(scene: SessionScene, options: AgentOptions = {}) {
    const { node = 'n1', session = 1, wireVersion = 1, trust = scene.trust } = options;
    const welcomed = Promise.withResolvers<ReadControllerMessage>();
    const ended = Promise.withResolvers<EngineError | undefined>();
    this.welcomed = welcomed.promise;
    this.ended = ended.promise;
    this.client = new SessionClient({
      // A name: certificates of addresses are not asked for by name (RFC 6066, 3).
      host: options.host ?? ('caPem' in trust ? 'localhost' : '127.0.0.1'),
      port: scene.port,
      trust,
      token: options.token ?? scene.tokenOf(node),
      clock: options.clock ?? systemClock,
      onMessage: message => {
        this.messages.push(message);
        welcomed.resolve(message);
      },
      onEnd: error => ended.resolve(error),
    });
    const hello = { node: options.says ?? node, version: 'test', wireVersion, session };
    this.client.put('hello', () => ({ hello }));
  }
}

/** A connected agent; it leaves when the test ends. */
export async function joined(
  t: Test,
  scene: SessionScene,
  options?: AgentOptions,
): Promise<TestAgent> {
  const agent = new TestAgent(scene, options);
  t.teardown(() => agent.client.close());
  await Promise.race([agent.welcomed, agent.ended.then(error => Promise.reject(asFault(error)))]);
  return agent;
}

/** The error that a session with these options ends with. */
export async function refusedWith(
  scene: SessionScene,
  options: AgentOptions,
): Promise<EngineError | undefined> {
  const agent = new TestAgent(scene, options);
  const error = await Promise.race([agent.ended, agent.welcomed.then(() => undefined)]);
  agent.client.close();
  return error;
}

export interface RawAgent {
  readonly stream: ClientDuplexStream<Buffer, Buffer>;
  readonly ended: Promise<EngineError | undefined>;
}

/** A session that says whatever bytes it is given. */
export function rawAgent(t: Test, scene: SessionScene, token: string | undefined): RawAgent {
  const trust = credentials.createSsl(Buffer.from(scene.authority.certificate));
  const client = new Client(`localhost:${scene.port}`, trust, {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_send_message_length': -1,
  });
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const asIs = (bytes: Buffer) => bytes;
  const stream = client.makeBidiStreamRequest(SESSION_PATH, asIs, asIs, metadata);
  const { promise: ended, resolve } = Promise.withResolvers<EngineError | undefined>();
  stream.on('error', () => undefined);
  stream.on('status', (status: WireStatus) => resolve(errorOf(status)));
  t.teardown(() => {
    stream.cancel();
    client.close();
  });
  return { stream, ended };
}

function asFault(error: EngineError | undefined): Error {
  return error ?? new Error('the session has ended before it began');
}
