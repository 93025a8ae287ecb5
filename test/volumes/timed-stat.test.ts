import { mkdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import {
  HANGING_LOOKS_MAX,
  POOL_LOOKS_MAX,
  RUNNING_LOOKS_MAX,
  STAT_MS_MAX,
  TimedStat,
  type TimedStatParts,
} from '#agent/volumes/timed-stat.ts';
import { HungFileSystem } from '#test/support/hung-file-system.ts';

const DIRECTORY = { dev: 1, ino: 2, isDirectory: true };

/** Time passes when the test says so; what is asked for is answered when the test says so. */
function scene(more: Partial<TimedStatParts> = {}) {
  const sleeping = new Set<() => void>();
  const clock: Clock = {
    ...systemClock,
    sleep: (_ms, sleepSignal) =>
      new Promise((resolve, reject) => {
        sleeping.add(resolve);
        sleepSignal?.addEventListener('abort', () => {
          sleeping.delete(resolve);
          reject(new Error('aborted'));
        });
      }),
  };
  const asked: string[] = [];
  const answers = new Map<string, () => void>();
  const ask = (way: string) => (path: string) => {
    asked.push(`${way} ${path}`);
    return new Promise<typeof DIRECTORY>(resolve => {
      answers.set(path, () => resolve(DIRECTORY));
    });
  };
  const hanging: number[] = [];
  const stat = new TimedStat({
    clock,
    lstat: ask('pool'),
    lstatInThread: ask('thread'),
    onHanging: count => void hanging.push(count),
    ...more,
  });
  /** All that is asked for now has had its time. */
  const elapse = async (): Promise<void> => {
    for (const wake of [...sleeping]) wake();
    sleeping.clear();
    await turn();
  };
  const answer = async (path: string): Promise<void> => {
    answers.get(path)?.();
    await turn();
  };
  return { stat, asked, hanging, elapse, answer };
}

/** So many volumes that do not answer, `/0` and on. */
async function hang(t: Test, { stat, elapse }: ReturnType<typeof scene>, count: number) {
  for (let index = 0; index < count; index++) {
    const look = stat.look(`/${index}`);
    const late = t.rejects(look, { code: 'VOLUME_UNRESPONSIVE', message: /no answer after 10 s/ });
    await elapse();
    await late;
  }
}

t.test('looks beyond those that may run wait for them, and all are answered', async t => {
  const { stat, asked, answer, hanging } = scene();
  const paths = Array.from({ length: 10 }, (_, index) => `/${index}`);
  const looks = paths.map(path => stat.look(path));
  t.equal(asked.length, RUNNING_LOOKS_MAX);
  for (const path of paths) await answer(path);
  t.strictSame(
    await Promise.all(looks),
    paths.map(() => DIRECTORY),
  );
  t.strictSame(
    asked,
    paths.map(path => `pool ${path}`),
  );
  t.equal(stat.pendingCount, 0);
  t.strictSame(hanging, [], 'and nobody has thought that one of them hangs');
});

t.test('those who ask for the same path at once share one look', async t => {
  const { stat, asked, answer } = scene();
  const looks = [stat.look('/a'), stat.look('/a')];
  await answer('/a');
  t.strictSame(await Promise.all(looks), [DIRECTORY, DIRECTORY]);
  t.equal(asked.length, 1);
});

t.test('a path that hangs is refused at once until it has answered', async t => {
  const all = scene();
  const { stat, asked, answer, hanging } = all;
  await hang(t, all, 1);
  await t.rejects(stat.look('/0'), { code: 'VOLUME_UNRESPONSIVE', message: /has not come back/ });
  t.equal(asked.length, 1, 'and it is not asked again');
  t.equal(stat.pendingCount, 1);
  await answer('/0');
  t.equal(stat.pendingCount, 0);
  t.strictSame(hanging, [1, 0]);
  const look = stat.look('/0');
  await answer('/0');
  t.strictSame(await look, DIRECTORY);
});

t.test('volumes that hang keep few threads of the pool, and others are looked at', async t => {
  const all = scene();
  const { stat, asked, answer } = all;
  await hang(t, all, HANGING_LOOKS_MAX - 1);
  t.equal(asked.filter(each => each.startsWith('pool')).length, POOL_LOOKS_MAX);
  const looks = [stat.look('/a'), stat.look('/b')];
  t.equal(asked.length, HANGING_LOOKS_MAX, 'one at a time, as both may hang');
  await answer('/a');
  await answer('/b');
  t.strictSame(await Promise.all(looks), [DIRECTORY, DIRECTORY]);
  t.match(asked.at(-1), 'thread /b');
});

t.test('where too many hang, others are refused until one has answered', async t => {
  const all = scene();
  const { stat, asked, answer, hanging, elapse } = all;
  await hang(t, all, HANGING_LOOKS_MAX - 1);
  const last = t.rejects(stat.look('/last'), { message: /no answer/ });
  const refused = t.rejects(stat.look('/waits'), { message: /8 other volumes do not answer/ });
  await elapse();
  await Promise.all([last, refused]);
  await t.rejects(stat.look('/other'), { code: 'VOLUME_UNRESPONSIVE', message: /8 other/ });
  t.equal(asked.length, HANGING_LOOKS_MAX);
  t.equal(hanging.at(-1), HANGING_LOOKS_MAX);
  await answer('/0');
  const look = stat.look('/other');
  await answer('/other');
  t.strictSame(await look, DIRECTORY);
  t.equal(asked.at(-1), 'pool /other');
});

t.test('who gives up waiting is told at once', async t => {
  const { stat, answer } = scene();
  const abort = new AbortController();
  const looks = ['/a', '/b', '/c'].map(path => stat.look(path, abort.signal));
  abort.abort();
  for (const look of looks) await t.rejects(look, { code: 'ABORTED' });
  await t.rejects(stat.look('/a', abort.signal), { code: 'ABORTED' });
  for (const path of ['/a', '/b', '/c']) await answer(path);
  t.equal(stat.pendingCount, 0);
});

t.test('what is not there is not there, and other answers are told', async t => {
  const { stat } = scene({
    lstat: path => Promise.reject(Object.assign(new Error(), { code: path.slice(1) })),
  });
  t.equal(await stat.look('/ENOENT'), undefined);
  t.equal(await stat.look('/ENOTDIR'), undefined);
  await t.rejects(stat.look('/ESTALE'), { code: 'VOLUME_UNRESPONSIVE', message: /is ESTALE/ });
  await t.rejects(stat.look('/EACCES'), { message: /EACCES.*allow_other/ });
});

t.test('beside three file systems that really hang, others are looked at', async t => {
  const root = t.testdir({ fine: {} });
  let elapse: (() => void) | undefined;
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) =>
      ms === STAT_MS_MAX
        ? new Promise(resolve => void (elapse = resolve))
        : systemClock.sleep(ms, signal),
  };
  const stat = new TimedStat({ clock });
  const hung: HungFileSystem[] = [];
  t.teardown(() => hung.forEach(each => each[Symbol.dispose]()));
  for (const name of ['a', 'b', 'c']) {
    mkdirSync(`${root}/${name}`);
    const one = HungFileSystem.mount(`${root}/${name}`);
    if (one === undefined) {
      t.comment('skipped: FUSE needs root');
      return;
    }
    hung.push(one);
    const look = t.rejects(stat.look(`${root}/${name}`), { message: /no answer/ });
    await one.reached;
    elapse?.();
    await look;
  }
  t.equal(stat.pendingCount, 3);
  t.match(await stat.look(`${root}/fine`), { isDirectory: true });
  t.equal(await stat.look(`${root}/none`), undefined);
  for (const each of hung) each[Symbol.dispose]();
  while (stat.pendingCount > 0) await turn();
  t.match(await stat.look(`${root}/a`), { isDirectory: true });
});
