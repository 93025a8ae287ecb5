// Backups and restores over an S3 server in trouble, through the whole stack. What passes is tried
// again and ends well; what stays ends with a name, and nothing is published.

import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { openStorage, restore } from '#engine/index.ts';
import type { Storage } from '#engine/storage/storage.ts';
import {
  answerError,
  CREDENTIALS,
  type FakeS3,
  type Handler,
  startFakeS3,
} from '#test/engine/storage/fake-s3.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { codeOf, endOf } from './failing-backups.ts';
import { MemoryS3 } from './memory-s3.ts';
import {
  backupTree,
  faultsOf,
  makeSmallRepository,
  openSmall,
  type SmallRepository,
  snapshotIds,
} from './small-repository.ts';

const IDLE_MS = 120;
const RETRY = {
  attemptsMax: 3,
  firstDelayMs: 1,
  delayMsMax: 2,
  retryAfterMsMax: 2,
  totalMsMax: 60_000,
};

/** A fake server, what a sound one would hold, and the small repository in it. */
export interface S3Scene {
  readonly fake: FakeS3;
  readonly sound: MemoryS3;
  readonly small: SmallRepository;
}

export async function s3Scene(t: Test): Promise<S3Scene> {
  const fake = await startFakeS3(t);
  const sound = new MemoryS3();
  fake.play(sound.handle);
  return { fake, sound, small: await makeSmallRepository(t.testdir(), await open(fake)) };
}

function open({ endpoint }: FakeS3): Promise<Storage> {
  const url = `s3://bucket/pre?endpoint=${endpoint}&region=us-east-1&idleTimeoutMs=${IDLE_MS}`;
  return openStorage(url, { s3Credentials: CREDENTIALS, retryPolicy: RETRY });
}

/** Plays `trouble` to the first request of each kind for each blob, and `server` to the others. */
function once(trouble: Handler, server: MemoryS3, counts: { troubles: number }): Handler {
  const seen = new Set<string>();
  return (request, response, socket) => {
    const name = `${request.method} ${request.url} ${request.headers.range}`;
    const isFirst = !seen.has(name);
    seen.add(name);
    if (!isFirst) return server.handle(request, response, socket);
    counts.troubles += 1;
    trouble(request, response, socket);
  };
}

const answering = (status: number, name: string, headers?: Record<string, string>): Handler => {
  return (_request, response) => answerError(response, status, name, 'says the server', headers);
};
const stalling: Handler = () => undefined;
const dying: Handler = ({ headers }, response, socket) => {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  const isRange = first !== undefined && last !== undefined;
  response.writeHead(isRange ? 206 : 200, {
    'content-length': isRange ? String(Number(last) - Number(first) + 1) : '100',
    ...(isRange && { 'content-range': `bytes ${first}-${last}/1000000` }),
  });
  response.write('only some', () => socket.destroy());
};

/** What passes: each request meets it once. */
export const PASSING: Readonly<Record<string, Handler>> = {
  '500': answering(500, 'InternalError'),
  '503': answering(503, 'ServiceUnavailable'),
  '503 with Retry-After': answering(503, 'SlowDown', { 'retry-after': '3' }),
  'stalling connections': stalling,
  'connections that die in the middle of a body': dying,
};

async function restored(t: Test, { small }: S3Scene, storage: Storage): Promise<unknown> {
  await using repository = await openSmall(storage, small.format);
  const target = `${fastDirectory(t)}/restored`;
  const ended = await endOf(restore(repository, { snapshot: 'latest', target }));
  if (!(ended instanceof Error)) t.equal(readFileSync(`${target}/a`, 'utf8'), 'changed\n');
  return ended;
}

/** Backs up and restores while each request fails once in the way of `name`. */
export async function costsOnlyTime(t: Test, scene: S3Scene, name: string): Promise<void> {
  const { fake, sound, small } = scene;
  const trouble = PASSING[name];
  const server = sound.copy();
  fake.play(server.handle);
  const storage = await open(fake);
  t.teardown(() => storage.close());
  const counts = { troubles: 0 };
  {
    await using repository = await openSmall(storage, small.format);
    fake.play(once(trouble, server, counts));
    await backupTree(repository, small.changed);
  }
  t.ok(counts.troubles >= 9, `${counts.troubles} troubles`);
  t.match(await restored(t, scene, storage), { differences: [] });
  fake.play(server.handle);
  await using repository = await openSmall(storage, small.format);
  t.equal((await snapshotIds(repository)).length, 2);
  t.strictSame(await faultsOf(repository), []);
}

/** What stays, and the name that it ends with. */
export const STAYING: Readonly<Record<string, { trouble: Handler; code: ErrorCode }>> = {
  '403': { trouble: answering(403, 'AccessDenied'), code: 'STORAGE_ACCESS_DENIED' },
  '404': { trouble: answering(404, 'NoSuchBucket'), code: 'STORAGE_NOT_FOUND' },
  '500': { trouble: answering(500, 'InternalError'), code: 'STORAGE_UNAVAILABLE' },
  '503': { trouble: answering(503, 'SlowDown'), code: 'STORAGE_THROTTLED' },
  '503 with Retry-After': {
    trouble: answering(503, 'SlowDown', { 'retry-after': '3' }),
    code: 'STORAGE_THROTTLED',
  },
  'a connection that stalls': { trouble: stalling, code: 'STORAGE_TIMEOUT' },
};

/** Backs up to a server that takes no packs, and restores from one that gives nothing. */
export async function endsByName(t: Test, scene: S3Scene, name: string): Promise<void> {
  const { fake, sound, small } = scene;
  const { trouble, code } = STAYING[name];
  const server = sound.copy();
  fake.play(server.handle);
  const storage = await open(fake);
  t.teardown(() => storage.close());
  {
    await using repository = await openSmall(storage, small.format);
    // Packs cannot be written, the rest can.
    fake.play((request, response, socket) => {
      const isPack = request.method === 'PUT' && /\/pre\/[pq]/.test(request.url);
      (isPack ? trouble : server.handle)(request, response, socket);
    });
    const ended = await endOf(backupTree(repository, small.changed));
    t.equal(codeOf(ended), code, 'backup');
  }
  fake.play(server.handle);
  await using repository = await openSmall(storage, small.format);
  t.strictSame(await snapshotIds(repository), [small.snapshotId], 'nothing was published');
  fake.play(trouble);
  const target = `${fastDirectory(t)}/restored`;
  t.equal(codeOf(await endOf(restore(repository, { snapshot: 'latest', target }))), code);
  fake.play(server.handle);
  t.strictSame(await faultsOf(repository), []);
}

/** A pack that the server does not have is missing, and no failure of the server. */
export async function missesPack(t: Test, { fake, sound, small }: S3Scene): Promise<void> {
  const server = sound.copy();
  fake.play((request, response, socket) => {
    if (request.method === 'GET' && /\/pre\/p/.test(request.url)) {
      return answerError(response, 404, 'NoSuchKey', 'The key does not exist.');
    }
    server.handle(request, response, socket);
  });
  const storage = await open(fake);
  t.teardown(() => storage.close());
  await using repository = await openSmall(storage, small.format);
  const target = `${fastDirectory(t)}/restored`;
  const ended = await endOf(restore(repository, { snapshot: 'latest', target }));
  t.equal(codeOf(ended), 'PACK_MISSING');
}
