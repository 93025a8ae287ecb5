// The body of a watch: one JSON event a line, for as long as the server likes. A connection that
// breaks, and one over which nothing comes any more, is an end like any other.

import type { IncomingMessage } from 'node:http';
import { abortedError } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { WatchEvent } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';
import { describeTarget, type RequestTarget } from './request-target.ts';
import { statusError, type KubeStatus } from './status-error.ts';

/** A line, in UTF-16 units. etcd takes 1.5 MiB an object. */
const WATCH_EVENT_CHARACTERS_MAX = 8 * 1024 * 1024;
/**
 * Bookmarks come once a minute (apiserver, cacher.go bookmarkFrequency): then this is a dead one.
 */
const WATCH_IDLE_MS_MAX = 150_000;

interface WatchStream {
  readonly response: IncomingMessage;
  readonly target: RequestTarget;
  readonly signal?: AbortSignal;
}

/** @throws KUBE_EXPIRED, ABORTED, LIMIT_EXCEEDED, what else the server says in an ERROR event */
export async function* watchEvents<Item extends KubeObject>(
  stream: WatchStream,
): AsyncGenerator<WatchEvent<Item>> {
  for await (const line of lines(stream)) {
    if (line !== '') yield parseEvent<Item>(line, stream.target);
  }
}

async function* lines({ response, target, signal }: WatchStream): AsyncGenerator<string> {
  const idle = setTimeout(() => response.destroy(), WATCH_IDLE_MS_MAX);
  let rest = '';
  try {
    response.setEncoding('utf8');
    for await (const text of whileItLasts(response)) {
      idle.refresh();
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      if (rest.length > WATCH_EVENT_CHARACTERS_MAX) throw tooLong(target);
      yield* parts;
    }
    if (signal?.aborted) throw abortedError(signal);
  } finally {
    clearTimeout(idle);
    response.destroy();
  }
}

/** Ends, rather than fails, where the connection does. */
async function* whileItLasts(response: IncomingMessage): AsyncGenerator<string> {
  const source = response[Symbol.asyncIterator]() as AsyncIterator<string>;
  for (;;) {
    let next: IteratorResult<string>;
    try {
      next = await source.next();
    } catch {
      return; // The caller knows the version it has seen and begins again from there.
    }
    if (next.done === true) return;
    yield next.value;
  }
}

interface RawEvent {
  readonly type?: string;
  readonly object?: KubeObject & KubeStatus;
}

function parseEvent<Item extends KubeObject>(
  line: string,
  target: RequestTarget,
): WatchEvent<Item> {
  const { type, object } = parseLine(line, target);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      // The caller's type is what it expects of its resource; adapters check what they read.
      if (object?.metadata !== undefined) return { type, object: object as unknown as Item };
      break;
    case 'BOOKMARK': {
      const resourceVersion = object?.metadata.resourceVersion;
      if (resourceVersion !== undefined) return { type, resourceVersion };
      break;
    }
    case 'ERROR':
      throw statusError({ target, status: object?.code ?? 500, body: object });
  }
  throw unreadable(target, `an event of type ${String(type)} that makes no sense`);
}

function parseLine(line: string, target: RequestTarget): RawEvent {
  try {
    // Each field is looked at before it is used.
    return JSON.parse(line) as RawEvent;
  } catch {
    throw unreadable(target, 'a line that is no JSON');
  }
}

function unreadable(target: RequestTarget, what: string): EngineError {
  return new EngineError(
    'KUBE_FAILED',
    `cannot ${describeTarget(target)}: the server sent ${what}`,
  );
}

function tooLong(target: RequestTarget): EngineError {
  const what = `an event has more than ${WATCH_EVENT_CHARACTERS_MAX} characters`;
  return new EngineError('LIMIT_EXCEEDED', `cannot ${describeTarget(target)}: ${what}`);
}
