// Slots: never more than there are, nobody waits for nothing, groups in turn.

import t from 'tap';
import { Slots } from '#agent/moves/slots.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

/** Requests whose grants are noted in `granted`. */
function requests(slots: Slots, granted: string[]) {
  return (id: string, group: string) =>
    slots.request({ id, group, onGranted: () => granted.push(id) });
}

t.test('a slot is granted at once where one is free, and once', async t => {
  const slots = new Slots(1);
  const granted: string[] = [];
  const request = requests(slots, granted);
  t.equal(request('a', 'x'), 'granted');
  t.equal(request('a', 'x'), 'granted');
  t.equal(slots.usedCount, 1);
  t.ok(slots.has('a'));
  t.equal(request('b', 'x'), 'queued');
  t.equal(request('b', 'x'), 'queued');
  t.equal(slots.waitingCount, 1);
  t.notOk(slots.has('b'));
  slots.release('a');
  t.strictSame(granted, ['b']);
  t.ok(slots.has('b'));
  slots.release('b');
  t.equal(slots.usedCount, 0);
});

t.test('groups take turns, and a group keeps its order', async t => {
  const slots = new Slots(1);
  const granted: string[] = [];
  const request = requests(slots, granted);
  request('a1', 'backup');
  for (const id of ['a2', 'a3', 'a4']) request(id, 'backup');
  for (const id of ['r1', 'r2']) request(id, 'restore');
  request('c1', 'another');
  for (const id of ['a1', 'a2', 'r1', 'c1', 'a3', 'r2']) slots.release(id);
  t.strictSame(granted, ['a2', 'r1', 'c1', 'a3', 'r2', 'a4']);
});

t.test('who leaves the queue is not granted', async t => {
  const slots = new Slots(1);
  const granted: string[] = [];
  const request = requests(slots, granted);
  for (const id of ['a', 'b', 'c']) request(id, id);
  slots.release('b');
  slots.release('unknown');
  slots.release('a');
  t.strictSame(granted, ['c']);
});

t.test('a queue that is full refuses', async t => {
  const slots = new Slots(1);
  const request = requests(slots, []);
  request('first', 'x');
  for (let index = 0; index < 10_000; index += 1) request(`${index}`, `${index % 7}`);
  t.equal(slots.waitingCount, 10_000);
  t.equal(request('late', 'x'), 'refused');
  slots.release('first');
  t.equal(request('late', 'x'), 'queued');
});

t.test('there is no such thing as no slot', async t => {
  for (const count of [0, -1, 1.5, Number.NaN]) t.throws(() => new Slots(count));
});

const seed = newSeed();
t.test(`whatever is asked for and given back, seed ${seed}`, async t => {
  const random = new SeededRandom(seed);
  const slots = new Slots(1 + random.below(4));
  const granted = new Set<string>();
  for (let step = 0; step < 3000; step += 1) {
    const id = `${random.below(40)}`;
    if (random.once(2)) slots.release(id);
    else slots.request({ id, group: `${random.below(3)}`, onGranted: () => granted.add(id) });
    slots.check();
  }
  for (let id = 0; id < 40; id += 1) slots.release(`${id}`);
  for (let id = 0; id < 40; id += 1) slots.release(`${id}`);
  slots.check();
  t.equal(slots.usedCount + slots.waitingCount, 0);
  t.ok(granted.size > 0);
});
