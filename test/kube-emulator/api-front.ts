// The HTTP side of the emulator: bodies, content types, answers, watches; what is decided elsewhere
// is only asked for here.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Resource } from '#kube/kube-object.ts';
import { resourceName } from '#kube/request-target.ts';
import { type AccessRules, EMULATED_USER } from './access-rules.ts';
import { ApiError, badRequest, conflict, unknownPath } from './api-error.ts';
import { AGGREGATED_DISCOVERY, discoveryDocument } from './discovery-documents.ts';
import type { FaultEffect, Faults } from './faults.ts';
import { forward, forwardedPort } from './forwarded-ports.ts';
import { isObject, valueAt, type JsonObject } from './json.ts';
import { listedItem, ListPages } from './list-pages.ts';
import type { ObjectVerbs } from './object-verbs.ts';
import { jsonPatch, mergePatch } from './patches.ts';
import { routeOf, type RequestRoute } from './request-route.ts';
import { fieldMatcher, labelMatcher, type Matcher } from './selectors.ts';
import { apiVersionOf } from './served-resource.ts';
import type { ServiceTokens } from './service-tokens.ts';
import { WatchSession } from './watch-session.ts';

/** What was asked, for tests that look at traffic. */
export interface RequestRecord {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** As RBAC sees it; undefined for discovery. */
  readonly verb?: string;
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface ApiFrontParts {
  readonly verbs: ObjectVerbs;
  readonly access: AccessRules;
  readonly faults: Faults;
  /** Bearer tokens that are accepted; undefined: anybody. */
  readonly tokens: ReadonlySet<string> | undefined;
  readonly serviceTokens: ServiceTokens;
}

const BODY_BYTES_MAX = 3 * 1024 * 1024;
const RECORDS_MAX = 20_000;
const READ_VERBS: ReadonlySet<string> = new Set(['get', 'list']);
const ACCESS_REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const USER_ACCESS_REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const TOKEN_REVIEW_RESOURCE: Resource = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'tokenreviews',
  kind: 'TokenReview',
  isNamespaced: false,
};
const TOKEN_REQUESTS = /^\/api\/v1\/namespaces\/([^/]+)\/serviceaccounts\/([^/]+)\/token$/;
const TOKEN_REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';

export class ApiFront {
  readonly watches = new Set<WatchSession>();
  readonly requests: RequestRecord[] = [];
  /** The emulator's own faults, which must not pass for those of a server. */
  readonly failures: unknown[] = [];
  readonly #parts: ApiFrontParts;
  readonly #pages: ListPages;
  #writeCount = 0;

  constructor(parts: ApiFrontParts) {
    this.#parts = parts;
    this.#pages = new ListPages(parts.verbs.store);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBody(request);
      const { delayMs } = this.#parts.faults;
      if (delayMs > 0) await delay(delayMs);
      this.#serve(request, response, body);
    } catch (error) {
      if (request.destroyed && !request.complete) return;
      const refusal = error instanceof ApiError ? error : undefined;
      if (refusal === undefined) this.failures.push(error);
      const internal = new ApiError(500, 'InternalError', 'the emulator has failed');
      answer(response, (refusal ?? internal).code, (refusal ?? internal).status());
    }
  }

  /** `pods/portforward`, to a port of this machine. */
  upgrade(request: IncomingMessage, socket: Duplex): void {
    const target = forwardedPort(request.url);
    const isThere =
      target !== undefined &&
      this.#parts.verbs.store.get('pods', `${target.namespace}/${target.pod}`) !== undefined;
    if (target === undefined || !isThere) return void socket.end(refusalLine(404));
    const { namespace, pod: name, port } = target;
    const path = request.url ?? '';
    const verb = 'create';
    const resource = 'pods/portforward';
    this.requests.push({ method: 'GET', path, verb, resource, namespace, name });
    if (!this.#parts.access.allows(verb, resource, namespace)) {
      return void socket.end(refusalLine(403));
    }
    forward(request, socket, port);
  }

  #serve(request: IncomingMessage, response: ServerResponse, body: string): void {
    const { verbs, access, faults } = this.#parts;
    const url = new URL(request.url ?? '/', 'http://emulator');
    const method = request.method ?? 'GET';
    const resources = verbs.resources();
    const route = routeOf(method, url, resources);
    this.#record(method, url, route);
    this.#authenticate(request);
    const effect = faults.effectOn({
      verb: route?.verb ?? 'get',
      plural: route?.resource.plural ?? '',
      namespace: route?.namespace,
      name: route?.name,
    });
    if (effect !== undefined && strike(effect, route, request, response)) return;
    if (url.pathname === ACCESS_REVIEWS || url.pathname === USER_ACCESS_REVIEWS) {
      return answer(response, 201, this.#review(body));
    }
    const [, namespace = '', serviceAccount = ''] = TOKEN_REQUESTS.exec(url.pathname) ?? [];
    if (serviceAccount !== '' && method === 'POST') {
      const resource = { ...TOKEN_REVIEW_RESOURCE, group: '', plural: 'serviceaccounts/token' };
      access.check('create', resource, namespace, serviceAccount);
      const audiences = valueAt(JSON.parse(body), ['spec', 'audiences']);
      const named = Array.isArray(audiences) ? audiences.map(String) : [];
      const facts = { namespace, serviceAccount, audiences: named };
      const token = this.#parts.serviceTokens.issue(facts);
      return answer(response, 201, { kind: 'TokenRequest', status: { token } });
    }
    if (url.pathname === TOKEN_REVIEWS) return answer(response, 201, this.#reviewToken(body));
    if (/^\/(healthz|livez|readyz)$/.test(url.pathname)) return void response.end('ok');
    if (route === undefined) {
      const document = discoveryDocument(url.pathname, resources, request.headers.accept ?? '');
      if (document === undefined) return notServed(response, url, resources);
      // By it client-go tells the one document from the other.
      const isAggregated = document.kind === 'APIGroupDiscoveryList';
      const type = isAggregated ? `application/json;${AGGREGATED_DISCOVERY}` : undefined;
      return answer(response, 200, document, type);
    }
    access.check(route.verb, route.resource, route.namespace, route.name);
    if (route.verb === 'watch') return this.#watch(route, url.searchParams, response);
    const result = this.#perform(route, url.searchParams, body, request.headers['content-type']);
    if (effect?.type === 'lost-answer') return void request.socket.destroy();
    const tell = () => answer(response, route.verb === 'create' ? 201 : 200, result);
    if (READ_VERBS.has(route.verb)) tell();
    else this.#tellWriter(tell);
  }

  /**
   * A real server tells its watches and the writer independently, and either may be first: here
   * every second write is seen before its writer has the answer.
   */
  #tellWriter(tell: () => void): void {
    this.#writeCount += 1;
    // The watches' lines are read in the round of the event loop before the one of the answer.
    if (this.#writeCount % 2 === 0) setImmediate(() => setImmediate(tell));
    else tell();
  }

  #perform(
    route: RequestRoute,
    parameters: URLSearchParams,
    body: string,
    contentType: string | undefined,
  ): JsonObject {
    const { verbs } = this.#parts;
    const { resource, verb, namespace, subresource } = route;
    const place = { namespace, name: route.name ?? '' };
    switch (verb) {
      case 'list':
        return this.#list(route, parameters);
      case 'get':
        return verbs.get(resource, place);
      case 'create':
        return verbs.create(resource, namespace, parse(body));
      case 'update':
        return verbs.update(resource, place, () => parse(body), { subresource });
      case 'patch': {
        const patch = parse(body);
        const apply = patchFunction(contentType);
        const options = { subresource, isPatch: true };
        return verbs.update(resource, place, existing => apply(existing, patch), options);
      }
      default:
        return this.#delete(route, parameters, body);
    }
  }

  #list(route: RequestRoute, parameters: URLSearchParams): JsonObject {
    const { verbs } = this.#parts;
    const { resource, namespace } = route;
    const matches = matcherOf(route, parameters);
    const limit = Number(parameters.get('limit') ?? 0);
    const page = this.#pages.page(limit, parameters.get('continue') ?? '', () =>
      verbs.list(resource, namespace).filter(matches),
    );
    return {
      kind: `${resource.kind}List`,
      apiVersion: apiVersionOf(resource),
      metadata: page.metadata,
      items: page.items.map(item => listedItem(item, resource.isCustom)),
    };
  }

  #delete(route: RequestRoute, parameters: URLSearchParams, body: string): JsonObject {
    const { verbs } = this.#parts;
    const { resource, namespace, name } = route;
    const options = body === '' ? {} : parse(body);
    const given = isObject(options) ? options : {};
    const seconds = parameters.get('gracePeriodSeconds');
    const full = seconds === null ? given : { ...given, gracePeriodSeconds: Number(seconds) };
    if (name === undefined) {
      const fitting = verbs.list(resource, namespace).filter(matcherOf(route, parameters));
      for (const { metadata } of fitting) verbs.delete(resource, metadata, full);
      return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' };
    }
    const object = verbs.delete(resource, { namespace, name }, full);
    const isGone = verbs.store.get(resourceName(resource), keyText(route)) === undefined;
    if (!isGone) return object;
    const details = { name, kind: resource.plural, uid: object.metadata.uid };
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
  }

  #watch(route: RequestRoute, parameters: URLSearchParams, response: ServerResponse): void {
    const resourceVersion = parameters.get('resourceVersion') ?? '';
    if (!/^\d*$/.test(resourceVersion)) {
      throw badRequest(`invalid resource version ${JSON.stringify(resourceVersion)}`);
    }
    const seconds = Number(parameters.get('timeoutSeconds') ?? 0);
    const hasBookmarks = ['1', 'true'].includes(parameters.get('allowWatchBookmarks') ?? '');
    const session = new WatchSession(
      this.#parts.verbs.store,
      {
        resource: route.resource,
        matches: matcherOf(route, parameters),
        resourceVersion,
        hasBookmarks,
        timeoutSeconds: seconds > 0 ? seconds : undefined,
      },
      response,
    );
    this.watches.add(session);
    response.once('close', () => this.watches.delete(session));
  }

  /** authorization.k8s.io/v1 SelfSubjectAccessReview, and SubjectAccessReview, which says whose. */
  #review(body: string): JsonObject {
    const review = parse(body);
    const wanted = valueAt(review, ['spec', 'resourceAttributes']);
    const field = (key: string) => {
      const value = valueAt(wanted, [key]);
      return typeof value === 'string' ? value : '';
    };
    const namespace = field('namespace') === '' ? undefined : field('namespace');
    const named = valueAt(review, ['spec', 'user']);
    const user = typeof named === 'string' ? named : EMULATED_USER;
    const { access } = this.#parts;
    const allowed = access.allows(field('verb'), field('resource'), namespace, user);
    return { ...(isObject(review) ? review : {}), status: { allowed, user } };
  }

  #reviewToken(body: string): JsonObject {
    const { access, serviceTokens } = this.#parts;
    access.check('create', TOKEN_REVIEW_RESOURCE, undefined);
    return serviceTokens.review(parse(body));
  }

  #authenticate({ headers }: IncomingMessage): void {
    const { tokens } = this.#parts;
    const token = (headers.authorization ?? '').replace(/^Bearer /, '');
    if (tokens === undefined || tokens.has(token)) return;
    throw new ApiError(401, 'Unauthorized', 'Unauthorized');
  }

  #record(method: string, url: URL, route: RequestRoute | undefined): void {
    if (this.requests.length >= RECORDS_MAX) this.requests.shift();
    const resource = route && resourceName(route.resource);
    const { verb, namespace, name } = route ?? {};
    const path = url.pathname + url.search;
    this.requests.push({ method, path, verb, resource, namespace, name });
  }
}

/** True when nothing else is to be done with the request. */
function strike(
  effect: FaultEffect,
  route: RequestRoute | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  switch (effect.type) {
    case 'conflict':
      if (route === undefined) return false;
      throw conflict(route.resource, route.name ?? '');
    case 'status':
      throw new ApiError(effect.code, effect.reason ?? 'InternalError', 'an injected fault');
    case 'throttle':
      response.setHeader('retry-after', String(effect.retryAfterSeconds));
      throw new ApiError(429, 'TooManyRequests', 'the server has received too many requests');
    case 'reset':
      request.socket.destroy();
      return true;
    case 'silence':
      return true;
    case 'lost-answer':
      return false;
  }
}

function matcherOf(route: RequestRoute, parameters: URLSearchParams): Matcher {
  const { resource, namespace } = route;
  const byLabel = labelMatcher(parameters.get('labelSelector') ?? undefined);
  const byField = fieldMatcher(
    parameters.get('fieldSelector') ?? undefined,
    resource.selectableFields,
  );
  return object =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    byLabel(object) &&
    byField(object);
}

function patchFunction(
  contentType: string | undefined,
): (object: unknown, patch: unknown) => unknown {
  switch (contentType?.split(';')[0]) {
    case 'application/merge-patch+json':
      return mergePatch;
    case 'application/json-patch+json':
      return jsonPatch;
    default: {
      // Strategic merge and apply are not emulated; custom resources have no strategic merge
      // either.
      const message = `the body of the request was in an unknown format - ${contentType ?? 'none'}`;
      throw new ApiError(415, 'UnsupportedMediaType', message);
    }
  }
}

/** An unknown group is answered by the router in plain text, an unknown resource by a Status. */
function notServed(
  response: ServerResponse,
  url: URL,
  resources: readonly { readonly group: string }[],
): void {
  const [, , group] = url.pathname.split('/');
  if (url.pathname.startsWith('/api/') || resources.some(served => served.group === group)) {
    throw unknownPath();
  }
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
  response.end('404 page not found\n');
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > BODY_BYTES_MAX) {
      throw new ApiError(413, 'RequestEntityTooLarge', `limit is ${BODY_BYTES_MAX}`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw badRequest('the body is no JSON');
  }
}

function answer(
  response: ServerResponse,
  status: number,
  body: JsonObject,
  type = 'application/json',
): void {
  if (response.headersSent) return;
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  response.writeHead(status, { 'content-type': type, 'content-length': length });
  response.end(text);
}

function keyText({ namespace, name }: RequestRoute): string {
  return namespace === undefined ? (name ?? '') : `${namespace}/${name ?? ''}`;
}

function refusalLine(status: 403 | 404): string {
  const reason = status === 403 ? 'Forbidden' : 'Not Found';
  return `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
}
