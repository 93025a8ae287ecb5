// A Kubernetes API server within the test's own process, over HTTP: list, watch, get, create,
// replace, patch and delete with the versions, conflicts, finalizers and schemas of the real one,
// which test/kube-contract keeps it to. Not emulated: apply, strategic merge, admission of pods,
// protobuf.
//
//   const api = await startKubeEmulator({ velero: '1.18' });
//   api.add({ kind: 'Node', metadata: { name: 'worker-1' } });
//   const client = api.client();
//   api.faults.inject({ verb: 'update', effect: { type: 'conflict' } });
//   await api.stop();

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fixedConnection, type KubeConnection } from '#kube/connection.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import type { KubeObject, ObjectName, Resource } from '#kube/kube-object.ts';
import { resourceName } from '#kube/request-target.ts';
import { AccessRules } from './access-rules.ts';
import { ApiError } from './api-error.ts';
import { ApiFront, type RequestRecord } from './api-front.ts';
import { Faults } from './faults.ts';
import { isObject, type JsonObject, type StoredObject } from './json.ts';
import { ObjectStore } from './object-store.ts';
import { keyOf, ObjectVerbs } from './object-verbs.ts';
import { ServiceTokens } from './service-tokens.ts';
import { apiVersionOf, type ServedResource } from './served-resource.ts';
import { veleroCrds, type VeleroVersion } from './velero-crds.ts';
import type { WatchSession } from './watch-session.ts';

export interface KubeEmulatorOptions {
  /** The CRDs of this version are there from the start, and the namespace `velero`. */
  readonly velero?: VeleroVersion;
  /** Bearer tokens that are accepted; a test may change the set. Anybody without it. */
  readonly tokens?: ReadonlySet<string>;
  /** A real server sends bookmarks once a minute, and so does this one; 0: only when told to. */
  readonly bookmarkMs?: number;
}

/** An object as a test writes it down; apiVersion may be left out where kind says enough. */
export interface SeedObject {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

const BOOKMARK_MS = 60_000;

export class KubeEmulator {
  readonly faults = new Faults();
  readonly access = new AccessRules();
  readonly serviceTokens = new ServiceTokens();
  readonly store = new ObjectStore();
  readonly verbs = new ObjectVerbs(this.store);
  readonly #front: ApiFront;
  readonly #connections: KubeConnection[] = [];
  readonly #bookmarks: NodeJS.Timeout | undefined;
  #server: Server;
  #port = 0;

  constructor(options: KubeEmulatorOptions = {}) {
    const { verbs, access, faults, serviceTokens } = this;
    const { tokens } = options;
    this.#front = new ApiFront({ verbs, access, faults, tokens, serviceTokens });
    this.#server = this.#newServer();
    const bookmarkMs = options.bookmarkMs ?? BOOKMARK_MS;
    if (bookmarkMs > 0) {
      this.#bookmarks = setInterval(() => this.sendBookmarks(), bookmarkMs).unref();
    }
    for (const name of ['default', 'kube-system'])
      this.add({ kind: 'Namespace', metadata: { name } });
    if (options.velero !== undefined) this.installVelero(options.velero);
  }

  /** `http://127.0.0.1:<port>/` */
  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#port}/`);
  }

  /** What was asked over HTTP, oldest first, the last 20,000. */
  get requests(): readonly RequestRecord[] {
    return this.#front.requests;
  }

  /** Forgets `requests`. */
  forgetRequests(): void {
    this.#front.requests.length = 0;
  }

  /** Closed by stop(). */
  connection(token?: string): KubeConnection {
    const connection = fixedConnection(this.url, { token });
    this.#connections.push(connection);
    return connection;
  }

  client(token?: string): HttpKubeClient {
    return new HttpKubeClient(this.connection(token));
  }

  /** The text of a kubeconfig. */
  kubeconfig(token = 'emulated'): string {
    // @kubernetes/client-node takes http: only where it is told not to look at certificates.
    const cluster = { server: this.url.href, 'insecure-skip-tls-verify': true };
    const context = { cluster: 'emulator', user: 'emulator', namespace: 'velero' };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'emulator', cluster }],
      users: [{ name: 'emulator', user: { token } }],
      contexts: [{ name: 'emulator', context }],
      'current-context': 'emulator',
    });
  }

  /** Installs the CRDs of `version`, in place of those that are there. */
  installVelero(version: VeleroVersion): void {
    if (this.store.get('namespaces', 'velero') === undefined) {
      this.add({ kind: 'Namespace', metadata: { name: 'velero' } });
    }
    // veleroCrds makes them with the parts of a SeedObject.
    for (const crd of veleroCrds(version)) this.put(crd as SeedObject);
  }

  /** Creates it by the rules of the API, and its namespace where that is missing. */
  add(seed: SeedObject): StoredObject {
    const resource = this.#resourceOf(seed);
    const { namespace } = seed.metadata;
    if (namespace !== undefined && this.store.get('namespaces', namespace) === undefined) {
      this.add({ kind: 'Namespace', metadata: { name: namespace } });
    }
    const body = { ...seed, apiVersion: apiVersionOf(resource) };
    return structuredClone(this.verbs.create(resource, namespace, body));
  }

  /** add, or a rewrite of all but its metadata where it is there already. */
  put(seed: SeedObject): StoredObject {
    const resource = this.#resourceOf(seed);
    if (this.store.get(resourceName(resource), keyOf(seed.metadata)) === undefined) {
      return this.add(seed);
    }
    return this.change(resource, seed.metadata, object => {
      const { metadata: _, ...content } = seed;
      Object.assign(object, content, { apiVersion: object.apiVersion });
    });
  }

  /**
   * What `mutate` does to a copy is written, as by somebody who is faster than all others; status
   * too, and whatever RBAC and faults there are.
   */
  change(
    resource: Resource,
    name: ObjectName,
    mutate: (object: StoredObject) => void,
  ): StoredObject {
    const served = { ...this.#served(resource), hasStatus: false };
    const written = this.verbs.update(served, name, existing => {
      const copy = structuredClone(existing);
      mutate(copy);
      return copy;
    });
    return structuredClone(written);
  }

  /** A copy; undefined when there is none. The caller says what it holds. */
  object<Item extends KubeObject = StoredObject>(
    resource: Resource,
    name: ObjectName,
  ): Item | undefined {
    const object = this.store.get(resourceName(resource), keyOf(name));
    return object === undefined ? undefined : (structuredClone(object) as unknown as Item);
  }

  /** Copies, in the order of their keys. The caller says what they hold. */
  objects<Item extends KubeObject = StoredObject>(resource: Resource, namespace?: string): Item[] {
    const objects = this.verbs.list(this.#served(resource), namespace);
    return objects.map(object => structuredClone(object) as unknown as Item);
  }

  /** Deletes as a client would without a grace period: finalizers hold it. */
  remove(resource: Resource, name: ObjectName): void {
    this.verbs.delete(this.#served(resource), name, { gracePeriodSeconds: 0 });
  }

  /** Watches from versions before now are refused by 410 afterwards. */
  compact(): void {
    this.store.compact();
  }

  /** How many watches are open, of all resources or of one. */
  watchCount(plural?: string): number {
    return this.#watches(plural).length;
  }

  sendBookmarks(plural?: string): void {
    for (const watch of this.#watches(plural)) watch.sendBookmark();
  }

  /** The connections of watches break. */
  cutWatches(plural?: string): void {
    for (const watch of this.#watches(plural)) watch.cut();
  }

  /** Watches fail by an event, as where the server's own watch of etcd has failed. */
  failWatches(code: number, reason: string, plural?: string): void {
    const error = new ApiError(code, reason, 'an injected fault');
    for (const watch of this.#watches(plural)) watch.fail(error);
  }

  /** Watches end as after their timeout. */
  endWatches(plural?: string): void {
    for (const watch of this.#watches(plural)) watch.end();
  }

  /** Events of watches that are open now wait until the function that comes back is called. */
  holdWatches(plural?: string): () => void {
    const held = this.#watches(plural);
    for (const watch of held) watch.hold();
    return () => {
      for (const watch of held) watch.release();
    };
  }

  /** Every connection breaks, and none is accepted until comeBack(). What is stored stays. */
  async goAway(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async comeBack(): Promise<void> {
    this.#server = this.#newServer();
    await this.listen();
  }

  /** Ends everything that was started here. Rejects where the emulator itself has failed. */
  async stop(): Promise<void> {
    clearInterval(this.#bookmarks);
    for (const connection of this.#connections) connection.close();
    if (this.#server.listening) await this.goAway();
    const { failures } = this.#front;
    if (failures.length > 0) throw new AggregateError(failures, 'the emulator has failed');
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    // Of a TCP server that listens, the address is an AddressInfo (node:net).
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #newServer(): Server {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      void this.#front.handle(request, response);
    });
    return server.on('upgrade', (request, socket) => this.#front.upgrade(request, socket));
  }

  #watches(plural: string | undefined): WatchSession[] {
    const all = [...this.#front.watches];
    return plural === undefined ? all : all.filter(watch => watch.resource.plural === plural);
  }

  #served({ group, version, plural }: Resource): ServedResource {
    const found = this.verbs
      .resources()
      .find(one => one.group === group && one.version === version && one.plural === plural);
    if (found === undefined) throw new Error(`the emulator does not serve ${plural}.${group}`);
    return found;
  }

  #resourceOf({ apiVersion, kind }: SeedObject): ServedResource {
    const found = this.verbs
      .resources()
      .find(one => one.kind === kind && (apiVersion ?? apiVersionOf(one)) === apiVersionOf(one));
    if (found === undefined) throw new Error(`the emulator does not serve the kind ${kind}`);
    return found;
  }
}

export async function startKubeEmulator(options?: KubeEmulatorOptions): Promise<KubeEmulator> {
  const emulator = new KubeEmulator(options);
  await emulator.listen();
  return emulator;
}

export type { JsonObject, StoredObject };
export { isObject };
