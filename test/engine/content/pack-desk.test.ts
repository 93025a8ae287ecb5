import t, { type Test } from 'tap';
import { PackDesk } from '#engine/content/pack-desk.ts';
import { SessionMarkers } from '#engine/content/session-markers.ts';
import { Tidying } from '#engine/content/tidying.ts';
import { IndexRows } from '#engine/index/rows.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import type { PackTicket } from '#engine/workers/pack-tickets.ts';
import { contentScene, cryptoOf, idsOf, inventedRows, TestClock } from './content-scene.ts';

const turn = () => new Promise<void>(resolve => setImmediate(resolve));

async function deskScene(t: Test, storageOver: (memory: Storage) => Storage = memory => memory) {
  const { memory, format } = await contentScene(t);
  const clock = new TestClock();
  const storage = storageOver(memory);
  const failures: unknown[] = [];
  const owner = { user: 'u', host: 'h' };
  const tidying = new Tidying(storage, error => failures.push(error));
  const markers = new SessionMarkers(storage, cryptoOf(format), clock, { owner, tidying });
  const desk = new PackDesk(storage, markers, {
    packCountMax: 2,
    packBufferBytes: 1000,
    nowMs: () => clock.monotonic(),
    onFailure: error => failures.push(error),
  });
  return { memory, clock, desk, failures };
}

function finish(desk: PackDesk, { packId, kind, buffer }: PackTicket, contents = 3): void {
  const { rows } = inventedRows(0, contents).transfer();
  desk.accept({ packId, kind, bytes: 500, rows, buffer });
}

const nothing = async () => undefined;

t.test('the marker of a session is durable before any of its packs is given out', async t => {
  const { memory, desk } = await deskScene(t);
  const [first, second] = await Promise.all([desk.grant('p'), desk.grant('q')]);
  const markers = await idsOf(memory, 's');
  t.equal(markers.length, 1);
  const session = /-(s[0-9a-f]+)$/.exec(first.packId)?.[1] ?? 'none';
  t.ok(markers[0].includes(session));
  t.ok(second.packId.endsWith(session));
  t.equal(first.buffer?.byteLength, 1000);
});

t.test('a session ends when all of its packs are durable', async t => {
  const put = Promise.withResolvers<void>();
  const { memory, desk } = await deskScene(t, memory =>
    wrap(memory, {
      put: async (id, pieces, options) => {
        if (id.startsWith('p')) await put.promise;
        await memory.put(id, pieces, options);
      },
    }),
  );
  finish(desk, await desk.grant('p'));
  t.equal(desk.pendingContentCount, 3);
  let isClosed = false;
  const closing = desk.closeSession(nothing).finally(() => (isClosed = true));
  await turn();
  t.notOk(isClosed);
  t.equal(desk.pendingContentCount, 0, 'what comes next belongs to the next session');
  put.resolve();
  t.match(await closing, { rows: [{ count: 3 }] });
  t.equal((await memory.get((await idsOf(memory, 'p'))[0])).length, 500);
});

t.test('sessions follow one another, each with its marker', async t => {
  const { desk, clock } = await deskScene(t);
  t.equal(desk.sessionAgeMs, 0);
  t.equal(await desk.closeSession(nothing), undefined, 'none was begun');
  const ids = new Set<string>();
  for (let round = 0; round < 3; round++) {
    finish(desk, await desk.grant('p'));
    clock.advance(1000);
    t.equal(desk.sessionAgeMs, 1000);
    const closed = await desk.closeSession(nothing);
    ids.add(closed?.marker.sessionId ?? '');
  }
  t.equal(ids.size, 3);
});

t.test('no more packs are out than allowed; the next ticket waits', async t => {
  const { desk } = await deskScene(t);
  const first = await desk.grant('p');
  await desk.grant('p');
  let third: PackTicket | undefined;
  const waiting = desk.grant('p').then(ticket => (third = ticket));
  await turn();
  t.equal(third, undefined);
  finish(desk, first);
  await waiting;
  t.equal(third?.buffer, first.buffer, 'its memory is used again');
});

t.test('a ticket that was not used leaves nothing behind', async t => {
  const { memory, desk } = await deskScene(t);
  const { packId, kind, buffer } = await desk.grant('p');
  desk.accept({ packId, kind, bytes: 0, rows: undefined, buffer });
  t.match(await desk.closeSession(nothing), { rows: [] });
  t.strictSame(await idsOf(memory, 'p'), []);
});

t.test('a failure reaches those who wait and everybody who comes later', async t => {
  const failing = new Error('the cable was cut');
  const { desk, failures } = await deskScene(t, memory =>
    wrap(memory, {
      put: async (id, pieces, options) => {
        if (id.startsWith('p')) throw failing;
        await memory.put(id, pieces, options);
      },
    }),
  );
  const first = await desk.grant('p');
  await desk.grant('p');
  const failed = { code: 'INTERNAL', cause: failing };
  const waiting = t.rejects(desk.grant('p'), failed);
  const closing = t.rejects(desk.closeSession(turn), failed);
  await turn();
  finish(desk, first);
  await Promise.all([waiting, closing]);
  await t.rejects(desk.grant('q'), failed);
  t.match(failures, [failed]);
  t.ok(desk.signal.aborted);
});

t.test('a clock that is off by more than five minutes is refused, and no marker stays', async t => {
  const { memory, clock, desk } = await deskScene(t);
  clock.advance(6 * 60_000);
  await t.rejects(desk.grant('p'), { code: 'CLOCK_SKEW' });
  t.strictSame(await idsOf(memory, 's'), []);
});

t.test('what was staged and never finished is discarded, also when it comes late', async t => {
  const discarded: string[] = [];
  const staging = Promise.withResolvers<void>();
  const { desk } = await deskScene(t, memory =>
    wrap(memory, {
      stage: async id => {
        await staging.promise;
        const discard = async () => void discarded.push(id);
        return { path: `/${id}`, commit: nothing, discard };
      },
    }),
  );
  const late = desk.grant('p');
  late.catch(() => undefined);
  await turn();
  desk.fail(new Error('given up'));
  const discarding = desk.discardStaged();
  staging.resolve();
  await t.rejects(late, { message: /given up/ });
  await discarding;
  t.equal(discarded.length, 1);
});

t.test('rows that nobody asked for are a mistake of ours', async t => {
  const { desk, failures } = await deskScene(t);
  const { rows } = new IndexRows(17).transfer();
  desk.accept({ packId: 'p1', kind: 'p', bytes: 1, rows });
  await turn();
  t.match(failures, [{ code: 'INTERNAL' }]);
});
