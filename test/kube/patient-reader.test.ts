import t from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { patientReader } from '#kube/patient-reader.ts';
import { ManualClock, settle } from './manual-clock.ts';

const THINGS: Resource = {
  group: '',
  version: 'v1',
  plural: 'things',
  kind: 'Thing',
  isNamespaced: true,
};
const NAME = { namespace: 'here', name: 'thing' };
const THING: KubeObject = { metadata: NAME };

/** A server that is away for so many calls. */
function awayFor(calls: number) {
  let asked = 0;
  const answer = async (): Promise<never> => {
    asked++;
    if (asked <= calls) throw new EngineError('KUBE_UNAVAILABLE', 'away');
    return THING as never; // what the caller asked for
  };
  return { get: answer, list: answer, askedCount: () => asked };
}

t.test('a read outlasts a server that is away for a while', async t => {
  const clock = new ManualClock();
  const server = awayFor(3);
  const reading = patientReader(server, { clock, patienceMs: 10_000 }).get(THINGS, NAME);
  for (let second = 0; second < 3; second++) {
    await settle();
    await clock.pass(1000);
  }
  t.equal(await reading, THING);
  t.equal(server.askedCount(), 4);
});

t.test('patience ends, and what will not pass is told at once', async t => {
  const clock = new ManualClock();
  const reading = patientReader(awayFor(100), { clock, patienceMs: 2000 }).get(THINGS, NAME);
  const failing = t.rejects(reading, { code: 'KUBE_UNAVAILABLE' });
  for (let second = 0; second < 3; second++) {
    await settle();
    await clock.pass(1000);
  }
  await failing;
  const refuse = () => Promise.reject(new EngineError('KUBE_FORBIDDEN', 'no'));
  const refused = patientReader({ get: refuse, list: refuse }, { clock, patienceMs: 2000 });
  await t.rejects(refused.list(THINGS, {}), { code: 'KUBE_FORBIDDEN' });
});

t.test('a read that is cancelled waits no more', async t => {
  const end = new AbortController();
  const clock = new ManualClock();
  const patient = patientReader(awayFor(100), { clock, patienceMs: 60_000 });
  const reading = t.rejects(patient.get(THINGS, NAME, { signal: end.signal }));
  await settle();
  end.abort();
  await reading;
});
