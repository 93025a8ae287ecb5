// Which server notices a Canceled PodVolumeBackup, and how it is asked for its version.

import t from 'tap';
import { countsCanceled, ServerVersion } from '#agent/moves/server-version.ts';
import { EngineError } from '#engine/base/errors.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { Clock } from '#engine/base/clock.ts';
import type { KubeClient } from '#kube/kube-client.ts';

t.test('releases since 1.18.3 count Canceled, and nothing else surely does', async t => {
  const rows: readonly [version: string | undefined, counts: boolean][] = [
    ['v1.16.2', false],
    ['v1.17.0', false],
    ['v1.17.9', false],
    ['v1.18.0', false],
    ['v1.18.2', false],
    ['v1.18.3-rc.1', true],
    ['v1.18.3', true],
    ['1.18.10', true],
    ['v1.19.0', true],
    ['v2.0.0', true],
    ['v1.19.0-rc.2', true],
    ['v1.19.0-dev', false],
    ['v1.18.3-vendor.1', false],
    ['main', false],
    ['v1.18', false],
    ['', false],
    [undefined, false],
  ];
  for (const [version, counts] of rows) t.equal(countsCanceled(version), counts, String(version));
});

/** A clock whose pauses take no time. */
function quickClock(): Clock & { elapsed: number } {
  const clock = {
    ...systemClock,
    elapsed: 0,
    monotonic: () => clock.elapsed,
    sleep: async (ms: number) => {
      clock.elapsed += ms;
    },
  };
  return clock;
}

interface Served {
  readonly client: KubeClient;
  readonly calls: string[];
}

/** Answers at the `answersAt`-th look with `version`. */
function server(version: string, answersAt: number): Served {
  const calls: string[] = [];
  let looks = 0;
  const client = {
    create: async (_resource: unknown, object: object) => {
      calls.push('create');
      return { ...object, metadata: { name: 'node-agent-x7k2p', namespace: 'velero' } };
    },
    get: async () => {
      calls.push('get');
      looks += 1;
      const status = looks >= answersAt ? { phase: 'Processed', serverVersion: version } : {};
      return { metadata: { name: 'node-agent-x7k2p' }, status };
    },
    delete: async () => {
      calls.push('delete');
    },
  };
  // The three verbs that are used; anything else is a fault that a TypeError shows.
  return { client: client as unknown as KubeClient, calls };
}

t.test('the server answers, and is not asked again for five minutes', async t => {
  const { client, calls } = server('v1.18.3', 3);
  const clock = quickClock();
  const asked = new ServerVersion({ client, clock, namespace: 'velero' });
  t.strictSame(await Promise.all([asked.current(), asked.current()]), ['v1.18.3', 'v1.18.3']);
  t.strictSame(calls, ['create', 'get', 'get', 'get']);
  clock.elapsed += 299_000;
  t.equal(await asked.current(), 'v1.18.3');
  t.equal(calls.length, 4);
  clock.elapsed += 2000;
  t.equal(await asked.current(), 'v1.18.3');
  t.equal(calls.length, 6);
});

t.test('a server that does not answer has no version, and its question is taken back', async t => {
  const { client, calls } = server('v1.18.3', Infinity);
  const asked = new ServerVersion({ client, clock: quickClock(), namespace: 'velero' });
  t.equal(await asked.current(), undefined);
  t.equal(calls.filter(call => call === 'get').length, 20);
  t.equal(calls.at(-1), 'delete');
});

t.test('who may not ask gets no version; who is stopped gets told', async t => {
  for (const [code, isAnswer] of [
    ['KUBE_FORBIDDEN', true],
    ['KUBE_UNAVAILABLE', true],
    ['ABORTED', false],
  ] as const) {
    const create = async () => Promise.reject(new EngineError(code, 'no'));
    const client = { create } as unknown as KubeClient;
    const asked = new ServerVersion({ client, clock: quickClock(), namespace: 'velero' });
    if (isAnswer) t.equal(await asked.current(), undefined);
    else await t.rejects(asked.current(), { code });
  }
});

t.test('a setting is believed', async t => {
  const { client, calls } = server('v1.16.0', 1);
  const setting = 'v1.18.4';
  const asked = new ServerVersion({ client, clock: quickClock(), namespace: 'velero', setting });
  t.equal(await asked.current(), setting);
  t.strictSame(calls, []);
});
