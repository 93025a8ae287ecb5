// Finds the API server, and what it takes to be let in: the service account in a pod, a kubeconfig
// elsewhere. The package that reads those is loaded for them alone: it takes 10 MiB
// (docs/adr/0013-kubernetes-client.md).

import type { AgentOptions, RequestOptions } from 'node:https';
import type { Agent as HttpAgent } from 'node:http';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';
import type { AccessSource } from './access-source.ts';
import { keepAliveAgent, type KubeAccess, type KubeConnection } from './connection.ts';
import type { KubeConfig } from './kube-config-class.ts';
import { isReadable, serviceAccount } from './service-account.ts';

/** Tokens are rotated, and client-go reads them as often (transport/token_source.go). */
const ACCESS_MS_MAX = 60_000;

const CONTEXTS_SHOWN_MAX = 10;

type Environment = Readonly<Record<string, string | undefined>>;

export interface ConnectOptions {
  /** A file; it comes before everything else. */
  readonly kubeconfig?: string;
  /** Whose context to use; the kubeconfig's own without it. */
  readonly context?: string;
  readonly environment?: Environment;
  /** Before the service account's directory, for tests. */
  readonly rootDirectory?: string;
  readonly clock?: Clock;
}

/**
 * The connection that this process is meant to use; the caller closes it.
 * @throws KUBE_CONFIG_INVALID
 */
export async function connect(options: ConnectOptions = {}): Promise<KubeConnection> {
  const { environment = process.env, clock = systemClock } = options;
  const account = ownAccount({ ...options, environment });
  const source = account || (await fromKubeconfig({ ...options, environment }));
  const server = serverOf(source);
  const keeper = new AccessKeeper({ source, server, clock });
  await keeper.access();
  return {
    server,
    namespace: source.namespace,
    access: () => keeper.access(),
    forgetAccess: () => keeper.forget(),
    close: () => keeper.close(),
  };
}

/** Of the pod; a context is one of a kubeconfig, also in a pod: it may be of another cluster. */
function ownAccount(
  options: ConnectOptions & { readonly environment: Environment },
): AccessSource | undefined {
  const { kubeconfig, context, environment, rootDirectory } = options;
  if (kubeconfig !== undefined || context !== undefined) return undefined;
  return serviceAccount(environment, rootDirectory);
}

async function fromKubeconfig(
  options: ConnectOptions & { readonly environment: Environment },
): Promise<AccessSource> {
  const { config, what } = await readKubeconfig(options);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw invalid(`${what} has no cluster in its current context`);
  return {
    what,
    server: cluster.server,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    isProxied: cluster.proxyUrl !== undefined,
    async read() {
      const read: RequestOptions = {};
      await config.applyToHTTPSOptions(read);
      return read;
    },
  };
}

async function readKubeconfig(
  options: ConnectOptions & { readonly environment: Environment },
): Promise<{ readonly config: KubeConfig; readonly what: string }> {
  const paths = kubeconfigPaths(options.kubeconfig, options.environment);
  if (paths.length === 0 && options.context !== undefined) {
    throw invalid(`there is no kubeconfig to take context ${options.context} from; set KUBECONFIG`);
  }
  const what = `kubeconfig ${paths.join(':')}`;
  const { KubeConfig: Config } = await import('./kube-config-class.ts');
  const config = new Config();
  load(config, paths, what);
  if (options.context !== undefined) useContext(config, options.context, what);
  return { config, what };
}

/** What `connect` uses, in the form that the package takes. @throws KUBE_CONFIG_INVALID */
export async function kubeConfigOf(options: ConnectOptions): Promise<KubeConfig> {
  const { environment = process.env } = options;
  if (ownAccount({ ...options, environment }) !== undefined) {
    const { KubeConfig: Config } = await import('./kube-config-class.ts');
    const config = new Config();
    config.loadFromCluster();
    return config;
  }
  return (await readKubeconfig({ ...options, environment })).config;
}

function useContext(config: KubeConfig, context: string, what: string): void {
  if (config.getContextObject(context) === null) {
    const names = config.getContexts().map(({ name }) => name);
    const shown = names.slice(0, CONTEXTS_SHOWN_MAX).join(', ');
    const more = names.length > CONTEXTS_SHOWN_MAX ? ' and more' : '';
    throw invalid(`${what} has no context ${context}; it has ${shown || 'none'}${more}`);
  }
  config.setCurrentContext(context);
}

/** Fills `config` in. */
function load(config: KubeConfig, paths: readonly string[], what: string): void {
  const [first, ...others] = paths;
  if (first === undefined) {
    throw invalid('there is neither a service account nor a kubeconfig; set KUBECONFIG');
  }
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
}

function kubeconfigPaths(given: string | undefined, environment: Environment): string[] {
  if (given !== undefined) return [given];
  const named = (environment.KUBECONFIG ?? '').split(':').filter(path => path !== '');
  if (named.length > 0) return named;
  const usual = `${environment.HOME ?? ''}/.kube/config`;
  return isReadable(usual) ? [usual] : [];
}

function serverOf({ server: text, what }: AccessSource): URL {
  const server = URL.parse(text);
  if (server === null || !/^https?:$/.test(server.protocol) || server.username !== '') {
    throw invalid(`${what} names no server with http(s)://host`);
  }
  return server;
}

interface AccessParts {
  readonly source: AccessSource;
  readonly server: URL;
  readonly clock: Clock;
}

/** Headers and agent as the source makes them, for a minute; a new agent for new certificates. */
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
    const { source } = this.#parts;
    let options: RequestOptions;
    try {
      options = await source.read();
    } catch (error) {
      throw unusable(source.what, error);
    }
    return { headers: headersOf(options), agent: this.#agentFor(options) };
  }

  #agentFor(options: RequestOptions): HttpAgent {
    const { source, server } = this.#parts;
    // Its own agents keep no connection, but they know the way through a proxy.
    if (source.isProxied && options.agent instanceof Object) return options.agent;
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

export function unusable(what: string, error: unknown): EngineError {
  return invalid(`cannot use ${what}: ${reasonOf(error)}`);
}

/** What may be said of it: file names and system codes, nothing that a login command printed. */
function reasonOf(error: unknown): string {
  const code = systemCodeOf(error);
  const isOurs = error instanceof Error && /skipTLSVerify|[Pp]roxy/.test(error.message);
  if (isOurs) return error.message;
  return code === undefined ? 'its credentials cannot be had' : code;
}

function invalid(message: string): EngineError {
  return new EngineError('KUBE_CONFIG_INVALID', message);
}
