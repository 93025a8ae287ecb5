import t from 'tap';
import { Upkeep } from '#engine/snapshot/upkeep.ts';

t.test('it is called again and again, never twice at a time', async t => {
  let running = 0;
  let calls = 0;
  const done = Promise.withResolvers<undefined>();
  const target = {
    keepUp: async () => {
      t.equal(running++, 0);
      calls += 1;
      // Slower than the interval.
      await new Promise(resolve => setTimeout(resolve, 5));
      running -= 1;
      if (calls === 3) done.resolve(undefined);
    },
  };
  using _upkeep = new Upkeep(target, error => t.fail(String(error)), 1);
  await done.promise;
});

t.test('the first failure ends it and is told once', async t => {
  const failures: unknown[] = [];
  const done = Promise.withResolvers<undefined>();
  const target = { keepUp: () => Promise.reject(new Error('no room')) };
  using _upkeep = new Upkeep(
    target,
    error => {
      failures.push(error);
      done.resolve(undefined);
    },
    1,
  );
  await done.promise;
  t.match(failures, [{ message: 'no room' }]);
  t.equal(failures.length, 1);
});
