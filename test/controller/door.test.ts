// Who comes in while this controller leads, another one does, or nobody.

import t from 'tap';
import { Door, WAIT_MS_MAX, WAITING_MAX } from '#controller/door.ts';
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
  const door = new Door<Call>({ clock, counts });
  const inside: Call[] = [];
  const sessions = { onCall: (call: Call) => void inside.push(call) };
  const come = () => {
    const call = new Call();
    door.onCall(call);
    return call;
  };
  return { clock, counts, door, inside, sessions, come };
}

t.test('agents are turned away while another one leads, and let in by the leader', async t => {
  const { counts, door, inside, sessions, come } = scene();
  t.match(come().error, { code: 'COORDINATOR_UNAVAILABLE', details: { reason: 'standby' } });
  const close = door.open(sessions);
  const call = come();
  t.strictSame([inside, call.error], [[call], undefined]);
  close();
  t.equal(come().error?.code, 'COORDINATOR_UNAVAILABLE');
  t.equal(counts.of('standby'), 2);
});

t.test('while nobody leads they wait for whoever will', async t => {
  const { door, inside, sessions, come } = scene();
  door.isVacant = true;
  const [stays, leaves] = [come(), come()];
  leaves.leaving.abort();
  await settle();
  t.equal(stays.error, undefined);
  door.open(sessions);
  t.strictSame(inside, [stays]);
  await settle();
  t.equal(stays.error, undefined, 'it is not turned away any more');
});

t.test('they do not wait for long, nor all of them, nor for another leader', async t => {
  const { clock, door, come } = scene();
  door.isVacant = true;
  const waiting = Array.from({ length: WAITING_MAX }, come);
  t.ok(come().error, 'one too many');
  await clock.pass(WAIT_MS_MAX - 1);
  t.notOk(waiting.some(({ error }) => error));
  await clock.pass(1);
  t.ok(waiting.every(({ error }) => error));
  const last = come();
  door.isVacant = false;
  t.ok(last.error, 'there is another leader');
});
