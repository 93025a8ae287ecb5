import t from 'tap';
import { ByteWindow } from '#engine/base/byte-window.ts';
import { mapBounded } from '#engine/base/map-bounded.ts';

const { signal } = new AbortController();

t.test('no more is held than there is room for, and what is larger is held alone', async t => {
  const window = new ByteWindow(10);
  let held: number[] = [];
  let most = 0;
  const sizes = [4, 4, 4, 11, 1, 9, 30, 10, 2, 3, 5];
  const done = await mapBounded(sizes, { parallelism: 5 }, size =>
    window.hold(size, signal, async () => {
      held = [...held, size];
      const bytes = held.reduce((sum, each) => sum + each);
      t.ok(bytes <= 10 || held.length === 1, held.join());
      most = Math.max(most, held.length);
      await new Promise(setImmediate);
      held.splice(held.indexOf(size), 1);
      return size;
    }),
  );
  t.same(done, sizes);
  t.equal(most, 3);
});

t.test('who waits is told of an abort when those who hold end', async t => {
  const window = new ByteWindow(1);
  const abort = new AbortController();
  const holding = Promise.withResolvers<undefined>();
  const first = window.hold(1, abort.signal, () => holding.promise);
  const second = window.hold(1, abort.signal, async () => t.fail('it was begun'));
  abort.abort();
  holding.resolve(undefined);
  await first;
  await t.rejects(second, { code: 'ABORTED' });
});

t.test('a failure gives back what it held', async t => {
  const window = new ByteWindow(1);
  const failing = window.hold(1, signal, () => Promise.reject(new Error('no')));
  await t.rejects(failing, { message: 'no' });
  t.equal(await window.hold(1, signal, async () => 'yes'), 'yes');
});
