// Controllers that want to lead, against an emulated API server, in time that the test lets pass.

import t, { type Test } from 'tap';
import { isEngineError } from '#engine/base/errors.ts';
import { type Lease, LEASES, leaseTimes } from '#controller/leadership/lease.ts';
import { Leadership, type LeaseNews, type Term } from '#controller/leadership/leadership.ts';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { ManualClock, settle } from '#test/kube/manual-clock.ts';

const NAME = { namespace: 'velero', name: 'stevedore-controller' };
const LEASE_MS = 10_000;
const STEP_MS = 250;
/** So much time that never came true is a failure. */
const STEPS_MAX = 400;

interface Stage {
  readonly api: KubeEmulator;
  readonly clock: ManualClock;
}

async function newStage(t: Test): Promise<Stage> {
  const api = await startKubeEmulator();
  t.teardown(() => api.stop());
  api.add({ kind: 'Namespace', metadata: { name: NAME.namespace } });
  return { api, clock: new ManualClock() };
}

interface Reign {
  readonly epoch: number;
  readonly fromMs: number;
  untilMs: number | undefined;
}

class Controller {
  readonly reigns: Reign[] = [];
  readonly news: LeaseNews['kind'][] = [];
  /** As it has heard last; undefined where it has heard of none. */
  leader: string | undefined;
  readonly leadership: Leadership;
  readonly running: Promise<void>;
  /** Of others. */
  renewalsSeen = 0;
  /** Nothing that it asks is answered. */
  isCutOff = false;
  readonly #end = new AbortController();

  constructor(t: Test, { api, clock }: Stage, identity: string, fault?: Error) {
    const client = api.client();
    const or = <Answer>(ask: () => Promise<Answer>): Promise<Answer> =>
      this.isCutOff ? new Promise<Answer>(() => undefined) : ask();
    this.leadership = new Leadership({
      client: {
        get: (...words) => or(() => client.get(...words)),
        create: (...words) => or(() => client.create(...words)),
        replace: (...words) => or(() => client.replace(...words)),
      },
      clock,
      name: NAME,
      identity,
      leaseMs: LEASE_MS,
      onNews: news => {
        if (news.kind === 'renewed') return void (this.renewalsSeen += 1);
        this.news.push(news.kind);
        if (news.kind === 'follows') this.leader = news.leader;
      },
    });
    const reign = async ({ epoch, signal }: Term) => {
      const own: Reign = { epoch, fromMs: clock.monotonic(), untilMs: undefined };
      this.reigns.push(own);
      if (fault !== undefined) throw fault;
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }));
      own.untilMs = clock.monotonic();
    };
    this.running = this.leadership.run(this.#end.signal, reign);
    this.running.catch(() => undefined);
    t.teardown(() => this.#end.abort());
  }

  get leads(): boolean {
    const last = this.reigns.at(-1);
    return last !== undefined && last.untilMs === undefined;
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.running;
  }
}

async function passUntil({ clock }: Stage, isSo: () => boolean, what: string): Promise<void> {
  for (let step = 0; step < STEPS_MAX; step++) {
    if (isSo()) return;
    await clock.pass(STEP_MS);
    // Requests are on their way.
    for (let turn = 0; turn < 5; turn++) await settle();
  }
  throw new Error(`it never came true that ${what}`);
}

function leaseOf({ api }: Stage): Lease | undefined {
  return api.object<Lease>(LEASES, NAME);
}

/** No two reign at once, and who comes later has a later epoch. */
function checkReigns(t: Test, controllers: readonly Controller[]): void {
  const reigns = controllers.flatMap(({ reigns }) => reigns).sort((a, b) => a.epoch - b.epoch);
  for (const [index, later] of reigns.entries()) {
    const earlier = reigns[index - 1];
    if (earlier === undefined) continue;
    t.ok(earlier.epoch < later.epoch, 'epochs are told apart');
    t.ok((earlier.untilMs ?? Infinity) <= later.fromMs, 'one after the other');
  }
}

t.test('of several that begin together one leads, and renews', async t => {
  const stage = await newStage(t);
  const all = ['a', 'b', 'c'].map(identity => new Controller(t, stage, identity));
  await passUntil(stage, () => all.some(({ leads }) => leads), 'one leads');
  await stage.clock.pass(STEP_MS);
  const before = leaseOf(stage)?.spec?.renewTime;
  const atMs = stage.clock.monotonic();
  await passUntil(stage, () => stage.clock.monotonic() - atMs > 5 * LEASE_MS, 'time passes');
  t.strictSame(all.map(({ reigns }) => reigns.length).sort(), [0, 0, 1]);
  t.equal(all.filter(({ leads }) => leads).length, 1);
  t.not(leaseOf(stage)?.spec?.renewTime, before);
  t.match(leaseOf(stage)?.spec, { leaseDurationSeconds: 10 });
});

t.test('who is told to end gives the Lease back, and another leads at once', async t => {
  const stage = await newStage(t);
  const one = new Controller(t, stage, 'a');
  await passUntil(stage, () => one.leads, 'the first leads');
  const two = new Controller(t, stage, 'b');
  await passUntil(stage, () => two.news.includes('follows'), 'the second follows');
  await one.stop();
  const atMs = stage.clock.monotonic();
  t.equal(leaseOf(stage)?.spec?.holderIdentity, '');
  await passUntil(stage, () => two.leads, 'the second leads');
  t.ok(stage.clock.monotonic() - atMs < LEASE_MS / 4);
  checkReigns(t, [one, two]);
  t.ok(await two.leadership.hasBeen(one.reigns[0]?.epoch ?? Infinity));
  t.notOk(await two.leadership.hasBeen((two.reigns[0]?.epoch ?? 0) + 1));
});

t.test('who is cut off has stopped before another begins, within 15 s', async t => {
  const stage = await newStage(t);
  const one = new Controller(t, stage, 'a');
  await passUntil(stage, () => one.leads, 'the first leads');
  const two = new Controller(t, stage, 'b');
  await passUntil(stage, () => two.news.includes('follows'), 'the second follows');
  t.equal(two.leader, 'a');
  one.isCutOff = true;
  const atMs = stage.clock.monotonic();
  await passUntil(stage, () => two.leader === '', 'nobody leads');
  t.notOk(one.leads, 'it has stopped by then');
  t.notOk(two.leads);
  await passUntil(stage, () => two.leads, 'the second leads');
  t.ok(stage.clock.monotonic() - atMs < 15_000);
  t.ok(one.news.includes('lost'));
  checkReigns(t, [one, two]);
  one.isCutOff = false;
  await passUntil(stage, () => one.news.at(-1) === 'follows', 'it follows when it is back');
  t.equal(one.reigns.length, 1);
});

t.test('who follows sees that the leader is alive, every two looks, and then no more', async t => {
  const stage = await newStage(t);
  const one = new Controller(t, stage, 'a');
  await passUntil(stage, () => one.leads, 'the first leads');
  const two = new Controller(t, stage, 'b');
  await passUntil(stage, () => two.news.includes('follows'), 'the second follows');
  t.equal(two.renewalsSeen, 0, 'what it finds may be old');
  const { retryMs } = leaseTimes(LEASE_MS);
  for (let seen = 1; seen <= 5; seen++) {
    const atMs = stage.clock.monotonic();
    await passUntil(stage, () => two.renewalsSeen === seen, 'a renewal is seen');
    t.ok(stage.clock.monotonic() - atMs <= 2 * retryMs + STEP_MS);
  }
  one.isCutOff = true;
  await passUntil(stage, () => two.leads, 'the second leads');
  t.ok(two.renewalsSeen <= 6);
  t.equal(one.renewalsSeen, 0, 'its own do not count');
});

t.test('some renewals may fail, and others may write to the Lease', async t => {
  const stage = await newStage(t);
  const one = new Controller(t, stage, 'a');
  await passUntil(stage, () => one.leads, 'it leads');
  const fault = stage.api.faults.inject({
    verb: 'update',
    plural: 'leases',
    effect: { type: 'status', code: 403, reason: 'Forbidden' },
    times: 3,
  });
  await passUntil(stage, () => fault.count === 3, 'three have failed');
  stage.api.change(LEASES, NAME, object => {
    object.metadata.annotations = { 'example.com/note': 'by a person' };
  });
  const lost = stage.api.faults.inject({
    verb: 'update',
    plural: 'leases',
    effect: { type: 'lost-answer' },
  });
  await passUntil(stage, () => lost.count === 1, 'an answer was lost');
  const atMs = stage.clock.monotonic();
  await passUntil(stage, () => stage.clock.monotonic() - atMs > 2 * LEASE_MS, 'time passes');
  t.ok(one.leads);
  t.equal(one.reigns.length, 1);
  t.match(leaseOf(stage)?.metadata.annotations, { 'example.com/note': 'by a person' });
});

t.test('a Lease that is deleted costs the leader its term, and epochs go on', async t => {
  const stage = await newStage(t);
  const one = new Controller(t, stage, 'a');
  await passUntil(stage, () => one.leads, 'the first leads');
  const two = new Controller(t, stage, 'b');
  await passUntil(stage, () => two.news.includes('follows'), 'the second follows');
  stage.api.remove(LEASES, NAME);
  await passUntil(stage, () => one.reigns[0]?.untilMs !== undefined, 'the first has noticed');
  await passUntil(stage, () => one.leads || two.leads, 'there is a leader again');
  checkReigns(t, [one, two]);
});

t.test('who fails while it reigns says so and gives the Lease back', async t => {
  const stage = await newStage(t);
  const one = new Controller(t, stage, 'a', new Error('no such luck'));
  await passUntil(stage, () => one.reigns.length === 1, 'it reigns');
  await t.rejects(one.running, { message: 'no such luck' });
  t.equal(leaseOf(stage)?.spec?.holderIdentity, '');
});

t.test('without an API server nobody leads, and that is said', async t => {
  const stage = await newStage(t);
  stage.api.access.deny({ plural: 'leases' });
  const one = new Controller(t, stage, 'a');
  await passUntil(stage, () => one.news.filter(kind => kind === 'troubled').length > 2, 'it asks');
  t.strictSame(one.reigns, []);
  await t.rejects(one.leadership.hasBeen(1), { code: 'KUBE_FORBIDDEN' });
  t.ok(await one.leadership.hasBeen(1).catch(error => isEngineError(error)));
});
