// Who comes after this agent: one of ours, a stock one, or nobody.

import t from 'tap';
import { hasSuccessor, ownImage, type PodMarks } from '#agent/moves/successor.ts';
import type { Pod } from '#agent/moves/objects/pod.ts';
import { abortedError } from '#engine/base/abort.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';

const NAME = { namespace: 'velero', name: 'node-agent' };
const IMAGE = 'registry.example/stevedore:0.1.0';
const MARK = {
  label: 'app.kubernetes.io/name',
  value: 'stevedore',
  container: 'node-agent',
  image: IMAGE,
};

const WITHIN_MS = 6000;

/** The last answer is given from then on. */
function asked(...answers: readonly (object | ErrorCode)[]) {
  return askedFor(MARK, ...answers);
}

async function askedFor(marks: PodMarks, ...answers: readonly (object | ErrorCode)[]) {
  let nowMs = 0;
  let count = 0;
  const get = async () => {
    const answer = answers[Math.min(count++, answers.length - 1)];
    if (typeof answer === 'string') throw new EngineError(answer, 'no');
    return answer;
  };
  // The one sleeper with a limit of time wakes when the others have slept as long.
  let wake: (() => void) | undefined;
  const sleep = (ms: number, signal?: AbortSignal) => {
    if (wake === undefined) return waitFor(signal, resolve => (wake = resolve));
    nowMs += ms;
    if (nowMs >= WITHIN_MS) wake();
    return Promise.resolve();
  };
  const clock = { ...systemClock, monotonic: () => nowMs, sleep };
  // Only `get` is called; anything else is a fault that a TypeError shows.
  const client = { get } as unknown as KubeClient;
  const found = await hasSuccessor(client, NAME, marks, { clock, withinMs: WITHIN_MS });
  return { found, count, nowMs };
}

function waitFor(signal: AbortSignal | undefined, begin: (resolve: () => void) => void) {
  return new Promise<void>((resolve, reject) => {
    begin(resolve);
    signal?.addEventListener('abort', () => reject(abortedError(signal)), { once: true });
  });
}

function daemonSet(labels: Record<string, string>, deletionTimestamp?: string): object {
  return { metadata: { ...NAME, deletionTimestamp }, spec: { template: { metadata: { labels } } } };
}

/** As Velero's own installation makes it, in which somebody has set the image. */
function stockDaemonSet(image: string, container = 'node-agent'): object {
  const containers = [
    { name: 'istio-proxy', image: IMAGE },
    { name: container, image, command: ['/velero'], args: ['node-agent', 'server'] },
  ];
  const metadata = { labels: { role: 'node-agent', name: 'node-agent' } };
  return { metadata: NAME, spec: { template: { metadata, spec: { containers } } } };
}

t.test('only a DaemonSet of ours that stays is a successor', async t => {
  const ours = { role: 'node-agent', [MARK.label]: MARK.value };
  t.match(await asked(daemonSet(ours)), { found: true, count: 1 });
  t.match(await asked(daemonSet(ours, '2026-06-01T02:00:05Z')), { found: false, count: 1 });
  t.match(await asked(daemonSet({ role: 'node-agent', name: 'node-agent' })), {
    found: false,
    count: 1,
  });
  t.match(await asked({ metadata: NAME }), { found: false, count: 1 });
});

t.test('where only the image was set, the same image is a successor and no other is', async t => {
  t.match(await asked(stockDaemonSet(IMAGE)), { found: true, count: 1 });
  const others = [
    'velero/velero:v1.18.1',
    'registry.example/stevedore:0.2.0',
    'registry.example/stevedore',
    `${IMAGE}@sha256:${'0'.repeat(64)}`,
  ];
  for (const image of others) {
    t.match(await asked(stockDaemonSet(image)), { found: false, count: 1 }, image);
  }
  t.match(await asked(stockDaemonSet(IMAGE, 'restic')), { found: false }, 'of another container');
  const outside = { ...MARK, image: undefined };
  t.match(await askedFor(outside, stockDaemonSet(IMAGE)), { found: false });
  const nameless = { metadata: NAME, spec: { template: { spec: { containers: [] } } } };
  t.match(await askedFor(outside, nameless), { found: false });
});

t.test(
  'the own image is that of the pod that has our host name and is of the DaemonSet',
  async t => {
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: NAME.name, uid: 'd' };
    const pod = (ownerReferences: NonNullable<Pod['metadata']['ownerReferences']>): Pod => ({
      metadata: { namespace: 'velero', name: 'node-agent-x7k', ownerReferences },
      spec: {
        containers: [
          { name: 'istio-proxy', image: 'istio' },
          { name: 'node-agent', image: IMAGE },
        ],
      },
    });
    const found = (hostName: string, item = pod([{ ...owner, controller: true }])) => {
      const pods = new Map([['velero/node-agent-x7k', item]]);
      return ownImage(pods, NAME, { hostName, container: 'node-agent' });
    };
    t.equal(found('node-agent-x7k'), IMAGE);
    t.equal(found('worker-1'), undefined, 'in the network of the host');
    t.equal(found('node-agent-x7k', pod([])), undefined, 'a pod of its own');
    t.equal(found('node-agent-x7k', pod([{ ...owner, controller: false }])), undefined);
    t.equal(
      found('node-agent-x7k', pod([{ ...owner, name: 'other', controller: true }])),
      undefined,
    );
    const container = { hostName: 'node-agent-x7k', container: 'other' };
    const pods = new Map([['velero/node-agent-x7k', pod([{ ...owner, controller: true }])]]);
    t.equal(ownImage(pods, NAME, container), undefined);
  },
);

t.test(
  'what cannot be found out is no successor, at once where asking again is no use',
  async t => {
    for (const code of ['KUBE_NOT_FOUND', 'KUBE_FORBIDDEN'] as const) {
      t.match(await asked(code), { found: false, count: 1 });
    }
  },
);

t.test('a server that is away for a while is asked until it is back', async t => {
  const away = Array.from({ length: 4 }, () => 'KUBE_UNAVAILABLE' as const);
  const ours = daemonSet({ [MARK.label]: MARK.value });
  t.match(await asked(...away, 'KUBE_THROTTLED', ours), { found: true, count: 6 });
});

t.test('a server that stays away is asked until the time is over', async t => {
  const { found, count, nowMs } = await asked('KUBE_UNAVAILABLE');
  t.equal(found, false);
  t.ok(count > 5 && count < 20, `${count} times`);
  t.ok(nowMs >= WITHIN_MS && nowMs < WITHIN_MS + 1000, `${nowMs} ms`);
});
