// Who comes in while this controller leads, another one does, or nobody.

import t from 'tap';
import { Door, UNLED_MS, WAIT_MS_MAX, WAITING_MAX } from '#controller/door.ts';
import { RefusalCounts } from '#controller/sessions/refusals.ts';
import type { EngineError } from '#engine/base/errors.ts';
import { ManualClock, settle } from '#test/kube/manual-clock.ts';

class Call {
  readonly leaving = new AbortController();
  readonly gone = this.leaving.signal;
  error: EngineError | undefined;

  end(error?: EngineError): void {
    this.error = error;
  }
}

function scene() {
  const clock = new ManualClock();
  const counts = new RefusalCounts();
  const prepared: Call[] = [];
  const door = new Door<Call>({ clock, counts, prepare: call => prepared.push(call) });
  const inside: Call[] = [];
  const sessions = { onCall: (call: Call) => void inside.push(call) };
  const come = () => {
    const call = new Call();
    door.onCall(call);
    return call;
  };
  return { clock, counts, door, inside, sessions, prepared, come };
}

t.test('agents are turned away when another one is seen to lead, and let in to reign', async t => {
  const { counts, door, inside, sessions, come } = scene();
  const early = come();
  t.equal(early.error, undefined, 'it may be that nobody leads');
  door.turnAway();
  t.match(early.error, { code: 'COORDINATOR_STANDBY', details: { reason: 'standby' } });
  const close = door.open(sessions);
  const call = come();
  t.strictSame([inside, call.error], [[call], undefined]);
  close();
  const late = come();
  door.turnAway();
  t.equal(late.error?.code, 'COORDINATOR_STANDBY');
  t.equal(counts.of('standby'), 2);
});

t.test('while nobody leads they wait for whoever will', async t => {
  const { door, inside, sessions, come } = scene();
  const [stays, leaves] = [come(), come()];
  leaves.leaving.abort();
  await settle();
  t.equal(stays.error, undefined);
  door.open(sessions);
  t.strictSame(inside, [stays]);
  await settle();
  t.equal(stays.error, undefined, 'it is not turned away any more');
});

t.test('for who waits where nobody seems to lead something is prepared, once', async t => {
  const { clock, door, prepared, come } = scene();
  const early = come();
  await clock.pass(UNLED_MS - 1);
  door.turnAway();
  t.ok(early.error);
  const leaves = come();
  leaves.leaving.abort();
  const stays = come();
  await clock.pass(UNLED_MS);
  t.strictSame(prepared, [stays]);
  await clock.pass(WAIT_MS_MAX);
  t.strictSame(prepared, [stays]);
  t.notOk(leaves.error, 'it has not heard of it');
});

t.test('they do not wait for long, nor all of them', async t => {
  const { clock, come } = scene();
  const waiting = Array.from({ length: WAITING_MAX }, come);
  t.ok(come().error, 'one too many');
  await clock.pass(UNLED_MS);
  await clock.pass(WAIT_MS_MAX - UNLED_MS - 1);
  t.notOk(waiting.some(({ error }) => error));
  await clock.pass(1);
  t.ok(waiting.every(({ error }) => error));
});
