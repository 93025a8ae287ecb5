// Who comes after this agent: one of ours, a stock one, or nobody.

import t from 'tap';
import { hasSuccessor, ownImage, type PodMarks } from '#agent/moves/successor.ts';
import type { Pod } from '#agent/moves/objects/pod.ts';
import { abortedError } from '#engine/base/abort.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { Resource } from '#kube/kube-object.ts';

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

function askedFor(marks: PodMarks, ...answers: readonly (object | ErrorCode)[]) {
  return askedOn('KUBE_FORBIDDEN', marks, ...answers);
}

/** `node`: what the server says of it. */
async function askedOn(
  node: object | ErrorCode,
  marks: PodMarks,
  ...answers: readonly (object | ErrorCode)[]
) {
  let nowMs = 0;
  let count = 0;
  const get = async ({ plural }: Resource) => {
    const isOfNode = plural === 'nodes';
    const answer = isOfNode ? node : answers[Math.min(count++, answers.length - 1)];
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
  const found = await hasSuccessor(client, NAME, marks, {
    clock,
    nodeName: 'worker-1',
    withinMs: WITHIN_MS,
  });
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

const LABELS = { 'kubernetes.io/os': 'linux', zone: 'a', size: '12' };
const WORKER = { metadata: { name: 'worker-1', labels: LABELS } };

/** With what places its pods, and what its controller says. */
function placed(spec: object, rest: { generation?: number; status?: object } = {}): object {
  const { generation = 2, status } = rest;
  const metadata = { labels: { [MARK.label]: MARK.value } };
  return { metadata: { ...NAME, generation }, spec: { template: { metadata, spec } }, status };
}

function requiring(...nodeSelectorTerms: object[]): object {
  const requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms };
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution } } };
}

const labelled = (key: string, operator: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator, values }],
});
const named = (operator: string, ...values: string[]) => ({
  matchFields: [{ key: 'metadata.name', operator, values }],
});

const PLACEMENTS: readonly (readonly [what: string, spec: object, isWanted: boolean])[] = [
  ['anywhere', {}, true],
  ['with nothing said', { nodeSelector: null, affinity: null, tolerations: null }, true],
  ['a label', { nodeSelector: { zone: 'a' } }, true],
  ['another value', { nodeSelector: { zone: 'b' } }, false],
  ['a label that no node has', { nodeSelector: { 'non-existing': 'true' } }, false],
  ['In', requiring(labelled('zone', 'In', 'a', 'b')), true],
  ['In others', requiring(labelled('zone', 'In', 'b')), false],
  ['In without the label', requiring(labelled('rack', 'In', 'b')), false],
  ['NotIn', requiring(labelled('zone', 'NotIn', 'a')), false],
  ['NotIn without the label', requiring(labelled('rack', 'NotIn', 'a')), true],
  ['Exists', requiring(labelled('zone', 'Exists')), true],
  ['Exists without the label', requiring(labelled('rack', 'Exists')), false],
  ['DoesNotExist', requiring(labelled('zone', 'DoesNotExist')), false],
  ['Gt', requiring(labelled('size', 'Gt', '9')), true],
  ['Gt of the same', requiring(labelled('size', 'Gt', '12')), false],
  ['Gt of what is no number', requiring(labelled('zone', 'Gt', '9')), false],
  ['Lt', requiring(labelled('size', 'Lt', '100')), true],
  ['Lt without the label', requiring(labelled('rack', 'Lt', '100')), false],
  ['an operator of later', requiring(labelled('zone', 'Like', 'b')), true],
  ['its name', requiring(named('In', 'worker-1')), true],
  ['the name of another', requiring(named('In', 'worker-2')), false],
  ['any name but its own', requiring(named('NotIn', 'worker-1')), false],
  ['one of two terms', requiring(named('In', 'worker-2'), labelled('zone', 'Exists')), true],
  ['an empty term', requiring({}), false],
  [
    'both of one term',
    requiring({ ...labelled('zone', 'Exists'), ...named('In', 'worker-2') }),
    false,
  ],
];

t.test('one that does not want this node any more is no successor', async t => {
  for (const [what, spec, isWanted] of PLACEMENTS) {
    t.match(await askedOn(WORKER, MARK, placed(spec)), { found: isWanted, count: 1 }, what);
  }
});

t.test('on a node that goes, or lets none of its pods stay, nobody follows', async t => {
  const { metadata } = WORKER;
  const going = { metadata: { ...metadata, deletionTimestamp: '2026-06-01T02:00:05Z' } };
  t.match(await askedOn(going, MARK, placed({})), { found: false });
  const tainted = (key: string, effect = 'NoExecute', value?: string) => ({
    metadata,
    spec: { taints: [{ key, effect, value }] },
  });
  const found = async (node: object, ...tolerations: object[]) =>
    (await askedOn(node, MARK, placed({ tolerations }))).found;
  t.equal(await found(tainted('repair')), false);
  t.equal(await found(tainted('repair'), { operator: 'Exists' }), true);
  t.equal(await found(tainted('repair'), { key: 'repair', operator: 'Exists' }), true);
  t.equal(await found(tainted('repair'), { key: 'other', operator: 'Exists' }), false);
  t.equal(await found(tainted('repair'), { key: 'repair', effect: 'NoSchedule' }), false);
  t.equal(await found(tainted('repair', 'NoExecute', 'a'), { key: 'repair', value: 'a' }), true);
  t.equal(await found(tainted('repair', 'NoExecute', 'a'), { key: 'repair', value: 'b' }), false);
  t.equal(await found(tainted('node.kubernetes.io/unreachable')), true, 'all of them tolerate it');
  t.equal(await found(tainted('cilium.example/not-ready', 'NoSchedule')), true, 'it may go');
});

t.test('one that its controller wants nowhere is no successor', async t => {
  const nowhere = { desiredNumberScheduled: 0, observedGeneration: 2 };
  const rows = [
    [{ status: nowhere }, false],
    [{ status: nowhere, generation: 3 }, true],
    [{ status: { ...nowhere, desiredNumberScheduled: 3 } }, true],
  ] as const;
  for (const [rest, found] of rows) t.match(await asked(placed({}, rest)), { found });
});

t.test('where the node cannot be asked for, the DaemonSet is enough', async t => {
  const other = placed({ nodeSelector: { zone: 'b' } });
  for (const code of ['KUBE_NOT_FOUND', 'KUBE_FORBIDDEN', 'KUBE_UNAVAILABLE'] as const) {
    t.match(await askedOn(code, MARK, other), { found: true, count: 1 }, code);
  }
});

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
