// The Lease of controllers on a real API server: that it takes what we write, that of two one leads
// at a time, and that it can say which nodes have agents.

import t from 'tap';
import { type Lease, LEASES } from '#controller/leadership/lease.ts';
import { Leadership, type Term } from '#controller/leadership/leadership.ts';
import { systemClock } from '#engine/base/clock.ts';
import { PODS } from '#kube/core-resources.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import { connect } from '#kube/kube-config.ts';
import { controlPlaneIsMissing, startControlPlane } from './control-plane.ts';

const NAME = { namespace: 'velero', name: 'stevedore-controller' };
const LEASE_MS = 2_000;

t.test(
  'one of two controllers leads by a real Lease',
  {
    skip: controlPlaneIsMissing(),
  },
  async t => {
    await using plane = await startControlPlane();
    const connection = await connect({ kubeconfig: plane.kubeconfig, environment: {} });
    t.teardown(() => connection.close());
    const client = new HttpKubeClient(connection);
    const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
    await client.create({ ...namespaces, isNamespaced: false }, { metadata: { name: 'velero' } });

    const reigns: string[] = [];
    function start(identity: string) {
      const end = new AbortController();
      const began = Promise.withResolvers<number>();
      const parts = { client, clock: systemClock, name: NAME, identity, leaseMs: LEASE_MS };
      const leadership = new Leadership({ ...parts, onNews: () => undefined });
      const running = leadership.run(end.signal, async ({ epoch, signal }: Term) => {
        reigns.push(`${identity} begins`);
        began.resolve(epoch);
        await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }));
        reigns.push(`${identity} ends`);
      });
      const stop = async () => {
        end.abort();
        await running;
      };
      t.teardown(stop);
      return { began: began.promise, leadership, stop };
    }

    const one = start('one');
    const first = await one.began;
    const two = start('two');
    const held = await client.get<Lease>(LEASES, NAME);
    t.match(held.spec, { holderIdentity: 'one', leaseDurationSeconds: 2, leaseTransitions: first });
    // Longer than the Lease, so it was renewed.
    await systemClock.sleep(2 * LEASE_MS);
    t.strictSame(reigns, ['one begins']);
    await one.stop();
    const second = await two.began;
    t.ok(second > first);
    t.ok(await two.leadership.hasBeen(first));
    await client.delete(LEASES, NAME);
    // It has lost it, and leads again as nobody else does.
    while (reigns.length < 5) await systemClock.sleep(LEASE_MS / 10);
    t.strictSame(reigns, ['one begins', 'one ends', 'two begins', 'two ends', 'two begins']);
    t.ok((await client.get<Lease>(LEASES, NAME)).spec?.leaseTransitions ?? 0 > second);

    const query = { namespace: 'velero', fieldSelector: 'spec.serviceAccountName=stevedore' };
    t.strictSame((await client.list(PODS, query)).items, [], 'the server knows this field');
  },
);
