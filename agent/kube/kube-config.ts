// Finds the API server, and what it takes to be let in: the service account in a pod, a kubeconfig
// elsewhere. The package that reads them is loaded only when it is called: it takes 40 MiB
// (docs/adr/0013-kubernetes-client.md).

import { accessSync } from 'node:fs';
import type { AgentOptions, RequestOptions } from 'node:https';
import type { Agent as HttpAgent } from 'node:http';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';
import { keepAliveAgent, type KubeAccess, type KubeConnection } from './connection.ts';
import type { KubeConfig } from './kube-config-class.ts';

/** Where the kubelet puts what a pod may use. */
const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** Tokens are rotated, and client-go reads them as often (transport/token_source.go). */
const ACCESS_MS_MAX = 60_000;

export interface ConnectOptions {
  /** A file; it comes before everything else. */
  readonly kubeconfig?: string;
  /** Whose context to use; the kubeconfig's own without it. */
  readonly context?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Before the service account's directory, for tests. */
  readonly rootDirectory?: string;
  readonly clock?: Clock;
}

/**
 * The connection that this process is meant to use; the caller closes it.
 * @throws KUBE_CONFIG_INVALID
 */
export async function connect(options: ConnectOptions = {}): Promise<KubeConnection> {
  const { KubeConfig: Config } = await import('./kube-config-class.ts');
  const config = new Config();
  const what = load(config, options);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw invalid(`${what} has no cluster in its current context`);
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  const server = serverOf(cluster.server, what);
  const keeper = new AccessKeeper({ config, server, what, clock: options.clock ?? systemClock });
  await keeper.access();
  return {
    server,
    namespace,
    access: () => keeper.access(),
    forgetAccess: () => keeper.forget(),
    close: () => keeper.close(),
  };
}

/** Fills `config` in, and says from what. */
function load(config: KubeConfig, options: ConnectOptions): string {
  const { environment = process.env, rootDirectory = '' } = options;
  const inPod = environment.KUBERNETES_SERVICE_HOST !== undefined;
  if (
    options.kubeconfig === undefined &&
    inPod &&
    isReadable(rootDirectory + SERVICE_ACCOUNT_TOKEN)
  ) {
    config.loadFromCluster(rootDirectory);
    return 'the service account';
  }
  const paths = kubeconfigPaths(options.kubeconfig, environment);
  const [first, ...others] = paths;
  if (first === undefined) {
    throw invalid('there is neither a service account nor a kubeconfig; set KUBECONFIG');
  }
  const what = `kubeconfig ${paths.join(':')}`;
  try {
    config.loadFromFile(first);
    for (const path of others) {
      const more = new (config.constructor as typeof KubeConfig)(); // The class that config is of.
      more.loadFromFile(path);
      config.mergeConfig(more, true);
    }
  } catch (error) {
    // Its message may quote the file, which holds secrets.
    const code = systemCodeOf(error);
    throw invalid(`cannot read ${what}: ${code ?? 'it is no kubeconfig'}`);
  }
  if (options.context !== undefined) config.setCurrentContext(options.context);
  return what;
}

function kubeconfigPaths(
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  if (given !== undefined) return [given];
  const named = (environment.KUBECONFIG ?? '').split(':').filter(path => path !== '');
  if (named.length > 0) return named;
  const usual = `${environment.HOME ?? ''}/.kube/config`;
  return isReadable(usual) ? [usual] : [];
}

function serverOf(text: string, what: string): URL {
  const server = URL.parse(text);
  if (server === null || !/^https?:$/.test(server.protocol) || server.username !== '') {
    throw invalid(`${what} names no server with http(s)://host`);
  }
  return server;
}

interface AccessParts {
  readonly config: KubeConfig;
  readonly server: URL;
  readonly what: string;
  readonly clock: Clock;
}

/** Headers and agent as the package makes them, for a minute; a new agent for new certificates. */
class AccessKeeper {
  readonly #parts: AccessParts;
  #access: Promise<KubeAccess> | undefined;
  #readMs = -Infinity;
  #agent: HttpAgent | undefined;
  #tlsText = '';

  constructor(parts: AccessParts) {
    this.#parts = parts;
  }

  access(): Promise<KubeAccess> {
    const nowMs = this.#parts.clock.monotonic();
    if (this.#access === undefined || nowMs - this.#readMs >= ACCESS_MS_MAX) {
      this.#readMs = nowMs;
      const access = this.#read();
      this.#access = access;
      // What failed is tried again by whoever asks next, not in a minute.
      access.catch(() => this.forget());
    }
    return this.#access;
  }

  forget(): void {
    this.#access = undefined;
  }

  close(): void {
    this.#agent?.destroy();
  }

  async #read(): Promise<KubeAccess> {
    const { config, what } = this.#parts;
    const options: RequestOptions = {};
    try {
      await config.applyToHTTPSOptions(options);
    } catch (error) {
      throw invalid(`cannot use ${what}: ${reasonOf(error)}`);
    }
    return { headers: headersOf(options), agent: this.#agentFor(options) };
  }

  #agentFor(options: RequestOptions): HttpAgent {
    const { config, server } = this.#parts;
    // Its own agents keep no connection, but they know the way through a proxy.
    const isProxied = config.getCurrentCluster()?.proxyUrl !== undefined;
    if (isProxied && options.agent instanceof Object) return options.agent;
    const { ca, cert, key, passphrase, pfx, rejectUnauthorized, servername } = options;
    const tls: AgentOptions = { ca, cert, key, passphrase, pfx, rejectUnauthorized, servername };
    const tlsText = JSON.stringify(tls);
    if (this.#agent === undefined || tlsText !== this.#tlsText) {
      // Requests under way keep the old one, whose connections close when they are done.
      this.#agent = keepAliveAgent(server, tls);
      this.#tlsText = tlsText;
    }
    return this.#agent;
  }
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    // Token files end in a line feed as often as not, and a header must not.
    own[name.toLowerCase()] = String(value).trim();
  }
  if (typeof auth === 'string') {
    own.authorization ??= `Basic ${Buffer.from(auth).toString('base64')}`;
  }
  return own;
}

/** What may be said of it: file names and system codes, nothing that a login command printed. */
function reasonOf(error: unknown): string {
  const code = systemCodeOf(error);
  const isOurs = error instanceof Error && /skipTLSVerify|[Pp]roxy/.test(error.message);
  if (isOurs) return error.message;
  return code === undefined ? 'its credentials cannot be had' : code;
}

function isReadable(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

function invalid(message: string): EngineError {
  return new EngineError('KUBE_CONFIG_INVALID', message);
}
