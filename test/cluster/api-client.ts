// The Kubernetes API, as tests look at it and change it: JSON over HTTPS, and waiting. By a way of
// its own, so that tests do not believe the code that they test (agent/kube).

import { Agent, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';

/** An object of any kind, with what tests look at. */
export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // What is inside differs from kind to kind, and tests name each path that they read.
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

export interface ServerAddress {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
}

/** An answer that is none of success. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;

  constructor(what: string, status: number, body: string) {
    super(`${what}: ${status} ${body.slice(0, 500)}`);
    this.status = status;
  }
}

interface WaitOptions {
  readonly msMax: number;
  readonly what?: string;
}

const POLL_EVERY_MS = 100;
const REQUEST_MS_MAX = 30_000;

export class ApiClient implements Disposable {
  readonly address: ServerAddress;
  readonly #agent: Agent;

  constructor(address: ServerAddress) {
    this.address = address;
    this.#agent = new Agent({ keepAlive: true, ca: address.ca });
  }

  get<Result = ApiObject>(path: string): Promise<Result> {
    return this.#json('GET', path);
  }

  /** Of what is no JSON, such as metrics. */
  text(path: string): Promise<string> {
    return this.#text('GET', path);
  }

  async list(path: string): Promise<ApiObject[]> {
    return (await this.get<{ items: ApiObject[] }>(path)).items;
  }

  create(object: ApiObject): Promise<ApiObject> {
    return this.#json('POST', collectionOf(object), JSON.stringify(object));
  }

  /** To what is no object of its own: a token of a service account. */
  post<Result>(path: string, body: object): Promise<Result> {
    return this.#json('POST', path, JSON.stringify(body));
  }

  /** Makes an object, or changes it into this one (server-side apply). */
  apply(object: ApiObject): Promise<ApiObject> {
    return this.applyText(pathOf(object), JSON.stringify(object));
  }

  /** As YAML, of which JSON is a part. */
  applyText(path: string, text: string): Promise<ApiObject> {
    const query = '?fieldManager=test&force=true';
    return this.#json('PATCH', path + query, text, 'application/apply-patch+yaml');
  }

  /** RFC 7386. */
  patch(path: string, change: object): Promise<ApiObject> {
    return this.#json('PATCH', path, JSON.stringify(change), 'application/merge-patch+json');
  }

  /** Nothing happens where there is none. */
  async delete(path: string): Promise<void> {
    try {
      await this.#json('DELETE', path);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** The object as soon as it is `as` it shall be; one that is not there is not yet so. */
  async until(
    path: string,
    as: (object: ApiObject) => boolean,
    { msMax, what = 'as it shall be' }: WaitOptions,
  ): Promise<ApiObject> {
    let last: ApiObject | undefined;
    for (const end = performance.now() + msMax; performance.now() < end;) {
      last = await this.#find(path);
      if (last !== undefined && as(last)) return last;
      await delay(POLL_EVERY_MS);
    }
    const seen = JSON.stringify(last?.status) ?? 'nothing';
    throw new Error(`${path} is not ${what} after ${msMax} ms: ${seen}`);
  }

  async untilGone(path: string, msMax: number): Promise<void> {
    for (const end = performance.now() + msMax; performance.now() < end;) {
      if ((await this.#find(path)) === undefined) return;
      await delay(POLL_EVERY_MS);
    }
    throw new Error(`${path} is still there after ${msMax} ms`);
  }

  /** As soon as a list is empty. */
  async untilNone(path: string, msMax: number): Promise<void> {
    for (const end = performance.now() + msMax; performance.now() < end;) {
      if ((await this.list(path)).length === 0) return;
      await delay(POLL_EVERY_MS);
    }
    throw new Error(`${path} is not empty after ${msMax} ms`);
  }

  /** 200 and what else is success; false for anything else, no connection included. */
  async answers(path: string): Promise<boolean> {
    try {
      await this.#text('GET', path);
      return true;
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #find(path: string): Promise<ApiObject | undefined> {
    try {
      return await this.get(path);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #json<Result>(
    method: string,
    path: string,
    body?: string,
    type = 'application/json',
  ): Promise<Result> {
    // The API server's word for it.
    return JSON.parse(await this.#text(method, path, body, type)) as Result;
  }

  #text(method: string, path: string, body?: string, type = 'application/json'): Promise<string> {
    const { url, token } = this.address;
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': type };
    return new Promise((resolve, reject) => {
      const options = { method, headers, agent: this.#agent, timeout: REQUEST_MS_MAX };
      const sent = request(url + path, options, answer => {
        answer.setEncoding('utf8');
        let text = '';
        answer.on('data', (piece: string) => (text += piece));
        answer.on('error', reject);
        answer.on('end', () => {
          const status = answer.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve(text);
          else reject(new ApiProblem(`${method} ${path}`, status, text));
        });
      });
      sent.on('error', reject);
      sent.on('timeout', () => sent.destroy(new Error(`${method} ${path} takes too long`)));
      sent.end(body);
    });
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 404;
}

/** Where objects of this kind are; plurals are regular in all kinds that tests use. */
function collectionOf({ apiVersion, kind, metadata }: ApiObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  const name = kind.toLowerCase();
  const plural = name.replace(/y$/, 'ie').replace(/s$/, 'se') + 's';
  return `${root}${scope}/${plural}`;
}

export function pathOf(object: ApiObject): string {
  return `${collectionOf(object)}/${object.metadata.name}`;
}
