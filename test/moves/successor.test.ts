// Who comes after this agent: one of ours, a stock one, or nobody.

import t from 'tap';
import { hasSuccessor } from '#agent/moves/successor.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';

const NAME = { namespace: 'velero', name: 'node-agent' };
const MARK = { label: 'app.kubernetes.io/name', value: 'stevedore' };

function asked(answer: object | ErrorCode): Promise<boolean> {
  const get = async () => {
    if (typeof answer === 'string') throw new EngineError(answer, 'no');
    return answer;
  };
  // Only `get` is called; anything else is a fault that a TypeError shows.
  return hasSuccessor({ get } as unknown as KubeClient, NAME, MARK);
}

function daemonSet(labels: Record<string, string>, deletionTimestamp?: string): object {
  return { metadata: { ...NAME, deletionTimestamp }, spec: { template: { metadata: { labels } } } };
}

t.test('only a DaemonSet of ours that stays is a successor', async t => {
  const ours = { role: 'node-agent', [MARK.label]: MARK.value };
  t.equal(await asked(daemonSet(ours)), true);
  t.equal(await asked(daemonSet(ours, '2026-06-01T02:00:05Z')), false);
  t.equal(await asked(daemonSet({ role: 'node-agent', name: 'node-agent' })), false);
  t.equal(await asked({ metadata: NAME }), false);
});

t.test('what cannot be found out is no successor', async t => {
  for (const code of ['KUBE_NOT_FOUND', 'KUBE_FORBIDDEN', 'KUBE_UNAVAILABLE'] as const) {
    t.equal(await asked(code), false);
  }
});
