import t from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import { LeaseTable } from '#agent/repositories/lease-table.ts';

/** Things that say when they are opened, refreshed and closed; time stands still until told. */
function scene(countMax = 2) {
  const log: string[] = [];
  /** What had been done whenever it came to rest. */
  const rests: string[][] = [];
  /** Names of those in use, each time that they are told. */
  const uses: string[][] = [];
  const release = Promise.withResolvers<void>();
  const sleeps: { resolve: () => void; signal: AbortSignal | undefined }[] = [];
  const clock = {
    ...systemClock,
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        sleeps.push({ resolve, signal });
        signal?.addEventListener('abort', () => reject(new Error('aborted')));
      }),
  };
  class Thing implements AsyncDisposable {
    readonly name: string;
    isUsable = true;
    constructor(name: string) {
      this.name = name;
    }
    [Symbol.asyncDispose](): Promise<void> {
      log.push(`close ${this.name}`);
      if (this.name.startsWith('hung')) return release.promise;
      return this.name === 'stuck' ? Promise.reject(new Error('stuck')) : Promise.resolve();
    }
  }
  const table = new LeaseTable<Thing>({
    clock,
    countMax,
    idleMs: 1000,
    onCloseFailure: error => log.push(String(error)),
    onRest: () => rests.push([...log]),
    onUse: things => uses.push(things.map(({ name }) => name)),
    onLeftBehind: count => log.push(`${count} left behind`),
    isUsable: thing => thing.isUsable,
    refresh: async ({ name }) => {
      log.push(`refresh ${name}`);
      // As a task that waits behind others of a thread: rejected when that is ended.
      if (name === 'hung') await closedUnder.promise;
      if (name === 'stale') throw new Error('stale');
    },
  });
  const closedUnder = Promise.withResolvers<void>();
  closedUnder.promise.catch(() => undefined);
  const acquire = (name: string, signal?: AbortSignal) =>
    table.acquire(
      name,
      async () => {
        log.push(`open ${name}`);
        if (name === 'broken') throw new Error('broken');
        return new Thing(name);
      },
      signal,
    );
  const elapse = async () => {
    for (const { resolve, signal } of sleeps.splice(0)) if (!signal?.aborted) resolve();
    await settled();
  };
  return { table, acquire, log, rests, uses, elapse, release, closedUnder };
}

const settled = () => new Promise(resolve => setImmediate(resolve));

t.test('one is opened once, refreshed for the next, and closed when idle for long', async t => {
  const { acquire, log, elapse, table } = scene();
  const [a, b] = await Promise.all([acquire('x'), acquire('x')]);
  t.equal(a.thing, b.thing);
  await a[Symbol.asyncDispose]();
  await a[Symbol.asyncDispose]();
  await elapse();
  t.strictSame(log, ['open x', 'refresh x'], 'it is used still, though given back twice by one');
  await b[Symbol.asyncDispose]();
  const again = await acquire('x');
  await elapse();
  t.strictSame(log, ['open x', 'refresh x', 'refresh x']);
  await again[Symbol.asyncDispose]();
  await elapse();
  t.strictSame(log.at(-1), 'close x');
  t.equal(table.count, 0);
});

t.test('an idle one makes room, the longest idle first, and a used one is waited for', async t => {
  const { acquire, log } = scene();
  const x = await acquire('x');
  const y = await acquire('y');
  await y[Symbol.asyncDispose]();
  await x[Symbol.asyncDispose]();
  const z = await acquire('z');
  t.strictSame(log, ['open x', 'open y', 'close y', 'open z']);
  const again = await acquire('x');
  const abort = new AbortController();
  const impatient = acquire('w', abort.signal);
  const waiting = acquire('v');
  abort.abort();
  await t.rejects(impatient, { code: 'ABORTED' });
  await settled();
  t.notOk(log.includes('open v'));
  await z[Symbol.asyncDispose]();
  t.equal((await waiting).thing.name, 'v');
  t.strictSame(log.slice(-2), ['close z', 'open v']);
  await again[Symbol.asyncDispose]();
});

t.test('it is told which are in use, before they are handed out', async t => {
  const { acquire, uses, table, elapse } = scene();
  const [x, again] = await Promise.all([acquire('x'), acquire('x')]);
  t.strictSame(uses.at(-1), ['x']);
  const y = await acquire('y');
  t.strictSame(uses.at(-1), ['x', 'y']);
  await x[Symbol.asyncDispose]();
  t.strictSame(uses.at(-1), ['x', 'y'], 'it is used still');
  await again[Symbol.asyncDispose]();
  t.strictSame(uses.at(-1), ['y']);
  await elapse();
  const third = await acquire('x');
  t.strictSame(uses.at(-1), ['y', 'x']);
  y.abandon();
  t.strictSame(uses.at(-1), ['x']);
  await y[Symbol.asyncDispose]();
  await table[Symbol.asyncDispose]();
  t.strictSame(uses.at(-1), []);
  await third[Symbol.asyncDispose]();
});

t.test('what could not be opened is tried anew and takes no place', async t => {
  const { acquire, table } = scene(1);
  await t.rejects(acquire('broken'), { message: 'broken' });
  await t.rejects(acquire('broken'), { message: 'broken' });
  t.equal(table.count, 0);
  t.equal((await acquire('x')).thing.name, 'x');
});

t.test('one that broke goes with its last user, and others get a new one', async t => {
  const { acquire, log } = scene();
  const first = await acquire('x');
  const second = await acquire('x');
  first.thing.isUsable = false;
  await first[Symbol.asyncDispose]();
  const third = await acquire('x');
  t.not(third.thing, second.thing);
  t.notOk(log.includes('close x'));
  await second[Symbol.asyncDispose]();
  t.strictSame(log, ['open x', 'refresh x', 'open x', 'close x']);
});

t.test('one that breaks while it is refreshed is not handed out', async t => {
  const { acquire, log, closedUnder } = scene();
  const first = await acquire('hung');
  const refreshing = acquire('hung');
  await settled();
  first.thing.isUsable = false;
  closedUnder.reject(new Error('the threads were ended'));
  const next = await refreshing;
  t.not(next.thing, first.thing);
  t.strictSame(log, ['open hung', 'refresh hung', 'open hung']);
});

t.test('one that refreshing finds to be outdated is not handed out', async t => {
  const { acquire, log, closedUnder } = scene();
  const first = await acquire('hung');
  const refreshing = acquire('hung');
  await settled();
  first.thing.isUsable = false;
  closedUnder.resolve();
  const next = await refreshing;
  t.not(next.thing, first.thing);
  t.strictSame(log, ['open hung', 'refresh hung', 'open hung']);
});

t.test('one that broke while nobody used it is opened anew in its place', async t => {
  const { acquire, log } = scene(1);
  const first = await acquire('x');
  await first[Symbol.asyncDispose]();
  first.thing.isUsable = false;
  t.not((await acquire('x')).thing, first.thing);
  t.strictSame(log, ['open x', 'close x', 'open x']);
});

t.test('the end closes all, and a failure there is told', async t => {
  const { acquire, log, table } = scene();
  await acquire('stuck');
  await (await acquire('x'))[Symbol.asyncDispose]();
  await table[Symbol.asyncDispose]();
  t.strictSame(log.slice(2), ['close stuck', 'close x', 'Error: stuck']);
  t.equal(table.count, 0);
  await t.rejects(acquire('x'), { code: 'ABORTED' });
});

t.test('one that cannot be refreshed is opened anew by the next', async t => {
  const { acquire, log } = scene();
  const first = await acquire('stale');
  await first[Symbol.asyncDispose]();
  await t.rejects(acquire('stale'), /stale/);
  const anew = await acquire('stale');
  t.not(anew.thing, first.thing);
  t.strictSame(log, ['open stale', 'refresh stale', 'close stale', 'open stale']);
});

t.test(
  'one that does not close gives its place to others after a while, and is counted',
  async t => {
    const { acquire, log, elapse, table, release } = scene(1);
    const hung = await acquire('hung');
    hung.thing.isUsable = false;
    const closing = hung[Symbol.asyncDispose]();
    const waiting = acquire('x');
    await settled();
    t.notOk(log.includes('open x'));
    await elapse();
    await closing;
    t.equal((await waiting).thing.name, 'x');
    t.strictSame(log, ['open hung', 'close hung', '1 left behind', 'open x']);
    t.equal(table.count, 1);
    release.resolve();
    await settled();
    t.equal(log.at(-1), '0 left behind');
    t.equal(table.leftBehindCount, 0);
  },
);

t.test('no more are left behind than may be open; then their places stay taken', async t => {
  const { acquire, log, elapse, table, release } = scene(1);
  for (const name of ['hung-1', 'hung-2']) {
    const lease = await acquire(name);
    lease.thing.isUsable = false;
    void lease[Symbol.asyncDispose]();
    await elapse();
  }
  t.equal(table.leftBehindCount, 1);
  const refused = t.rejects(acquire('x'), { code: 'ABORTED' });
  await elapse();
  t.notOk(log.includes('open x'));
  const ending = table[Symbol.asyncDispose]();
  await elapse();
  await ending;
  await refused;
  release.resolve();
});

t.test('one that is abandoned is closed at once, and the others are told', async t => {
  const { acquire, log, release, closedUnder } = scene(3);
  const first = await acquire('hung');
  const refreshing = acquire('hung');
  await settled();
  t.strictSame(log, ['open hung', 'refresh hung']);
  first.abandon();
  await first[Symbol.asyncDispose]();
  t.notOk(first.isLost, 'it has done so itself');
  closedUnder.reject(new Error('the threads were ended'));
  const next = await refreshing;
  t.not(next.thing, first.thing, 'who was about to get it gets a new one');
  const third = await acquire('other');
  const fourth = await acquire('other');
  third.abandon();
  t.ok(fourth.isLost);
  t.notOk(next.isLost);
  release.resolve();
});

t.test('rest is told when the last has been closed for want of use', async t => {
  const { acquire, elapse, rests } = scene();
  const [a, b] = await Promise.all([acquire('x'), acquire('y')]);
  await a[Symbol.asyncDispose]();
  await elapse();
  t.same(rests, [], 'the other is used');
  await b[Symbol.asyncDispose]();
  await elapse();
  t.same(rests, [['open x', 'open y', 'close x', 'close y']]);
});

t.test('one that makes room for another is no rest', async t => {
  const { acquire, rests, log } = scene(1);
  const a = await acquire('x');
  await a[Symbol.asyncDispose]();
  await acquire('y');
  t.same(log, ['open x', 'close x', 'open y']);
  t.same(rests, []);
});
