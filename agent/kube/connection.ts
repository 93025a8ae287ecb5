// How an API server is reached: its address, and what each request carries. kube-config.ts makes
// one from a kubeconfig or a service account; tests make one that never changes.

import type { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import { nodeHttp } from '#engine/base/node-http.ts';

/** What goes with one request. Headers may hold a token: they are never logged. */
export interface KubeAccess {
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: HttpAgent;
}

export interface KubeConnection {
  /** Scheme, host and port, and the path that all others are beneath. No credentials in it. */
  readonly server: URL;
  /** Of the context or the service account. */
  readonly namespace?: string;
  /** Asked before each request. @throws KUBE_CONFIG_INVALID */
  access(): Promise<KubeAccess>;
  /** The server did not accept what access() gave: the next call reads it anew. */
  forgetAccess(): void;
  /** Closes what is kept alive. Requests under way fail. */
  close(): void;
}

/** Connections at once, watches included; further requests wait for one. */
const CONNECTIONS_MAX = 64;
const CONNECTIONS_FREE_MAX = 4;
const FREE_CONNECTION_MS_MAX = 60_000;
const KEEP_ALIVE_MS = 30_000;

/** Connections that are kept for the next request. `tls` matters for `https:` alone. */
export function keepAliveAgent(server: URL, tls: AgentOptions = {}): HttpAgent {
  const options: AgentOptions = {
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE_MS,
    maxSockets: CONNECTIONS_MAX,
    maxFreeSockets: CONNECTIONS_FREE_MAX,
    timeout: FREE_CONNECTION_MS_MAX,
    scheduling: 'lifo',
  };
  if (server.protocol === 'http:') return new nodeHttp.Agent(options);
  return new HttpsAgent({ ...options, ...tls });
}

/** A connection whose headers and certificates stay what they are. */
export function fixedConnection(
  server: URL,
  options: { readonly token?: string; readonly tls?: AgentOptions } = {},
): KubeConnection {
  const agent = keepAliveAgent(server, options.tls);
  const headers: Record<string, string> =
    options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
  return {
    server,
    access: async () => ({ headers, agent }),
    forgetAccess: () => undefined,
    close: () => agent.destroy(),
  };
}
