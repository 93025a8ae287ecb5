// A volume is made for a claim that waits, and handed over to it, by whoever comes after one that
// was killed: with the real volume controller, scheduler, provisioner and kubelet.

import { setTimeout as delay } from 'node:timers/promises';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { POLICY_BEFORE } from '#agent/exposer/rebinding.ts';
import { RestoreExposer, type RestoreMove } from '#agent/exposer/restore-exposer.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import { connect } from '#kube/kube-config.ts';
import type { ApiObject } from '#test/cluster/api-client.ts';
import { PAUSE_IMAGE } from '#test/cluster/node-settings.ts';
import { CsiWorkload, type CsiClaim } from './csi-workload.ts';
import { makeMovers, MOVERS } from './movers.ts';
import { dies, MortalClient } from './mortal-client.ts';
import type { Scenario, World } from './scenario.ts';

const TARGETS = 'targets';
const CLAIM: CsiClaim = { name: 'restored', mode: 'Filesystem', size: '16Mi' };
/** As Velero marks a claim for which no other volume will do. */
const SELECTOR = { 'velero.io/dynamic-pv-restore': 'shop.restored.abcde' };
const LOOK_MS = 200;
const LOOKS_MAX = 600;
const BOUND_MS_MAX = 120_000;

export const HANDED_OVER: readonly Scenario[] = [
  {
    title: 'a volume is handed over to the claim that waits for it, wherever one is killed',
    play: handOver,
  },
];

async function handOver(t: Test, { cluster, csi }: World): Promise<void> {
  const { client: api } = cluster.plane;
  const connection = await connect({ kubeconfig: cluster.plane.kubeconfig });
  t.teardown(() => connection.close());
  const client = new HttpKubeClient(connection);
  const owner = await makeMovers(api, client, 'owner-of-restores');
  const volumes = csi.store.volumes.length;
  for (let lived = 1; ; lived++) {
    const name = `down-${lived}`;
    const workload = new CsiWorkload(api, TARGETS);
    await workload.begin([{ ...CLAIM, selector: SELECTOR }]);
    const move = moveNamed(name, owner);
    const restore = (exposer: RestoreExposer) =>
      restored(exposer, move, new CsiWorkload(api, MOVERS));
    const mortal = new MortalClient(client, lived);
    const wasKilled = await dies(() => restore(new RestoreExposer(mortal.client)));
    await restore(new RestoreExposer(client));
    await untilWithdrawn(new RestoreExposer(client), move);
    await workload.untilRunning([CLAIM]);
    const text = await readFile(join(await workload.volumePath(CLAIM), 'file'), 'utf8');
    t.equal(text, name, `${mortal.changes} changes, ${wasKilled ? 'killed' : 'to the end'}`);
    checkVolume(t, await api.list('/api/v1/persistentvolumes'));
    t.equal(csi.store.volumes.length, volumes + 1, 'there is no other volume');
    await workload.delete();
    if (!wasKilled) break;
  }
  await t.test('one that is given up leaves nothing, and the claim waits on', async t => {
    for (let lived = 1; lived <= 5; lived++) await giveUp(t, lived);
  });

  async function giveUp(t: Test, lived: number): Promise<void> {
    const name = `given-up-${lived}`;
    const workload = new CsiWorkload(api, TARGETS);
    await workload.begin([{ ...CLAIM, selector: SELECTOR }]);
    const move = moveNamed(name, owner);
    const mortal = new RestoreExposer(new MortalClient(client, lived).client);
    await dies(() => restored(mortal, move, new CsiWorkload(api, MOVERS)));
    await untilWithdrawn(new RestoreExposer(client), move);
    for (let looks = 1; csi.store.volumes.length > volumes && looks < LOOKS_MAX; looks++) {
      await delay(LOOK_MS);
    }
    t.equal(csi.store.volumes.length, volumes, `after ${lived} changes no volume is left`);
    const claim = await api.get(
      `/api/v1/namespaces/${TARGETS}/persistentvolumeclaims/${CLAIM.name}`,
    );
    t.match(claim, { status: { phase: 'Pending' } });
    await workload.delete();
  }
}

function moveNamed(name: string, owner: RestoreMove['owner']): RestoreMove {
  return {
    ...{ name, namespace: MOVERS, uid: `uid-of-${name}`, owner },
    ...{ targetNamespace: TARGETS, targetClaim: CLAIM.name, ignoresDelayedBinding: false },
    holderOf: () => ({ image: PAUSE_IMAGE }),
  };
}

/** As DataDownload does it: a volume that is filled is not filled again. */
async function restored(
  exposer: RestoreExposer,
  move: RestoreMove,
  movers: CsiWorkload,
): Promise<void> {
  if (!(await exposer.isFilled(move))) {
    for (let looks = 1; ; looks++) {
      const exposure = await exposer.expose(move);
      if (exposure.type === 'exposed') break;
      if (exposure.type === 'hopeless') throw new Error(exposure.message);
      if (looks === LOOKS_MAX)
        throw new Error(`${move.name} waits: ${exposure.missing} is missing`);
      await delay(LOOK_MS);
    }
    const path = await movers.volumePath({ ...CLAIM, name: move.name });
    writeFileSync(join(path, 'file'), move.name, { flush: true });
  }
  for (const end = performance.now() + BOUND_MS_MAX; ;) {
    const rebinding = await exposer.rebind(move);
    if (rebinding.type === 'rebound') return;
    if (rebinding.type === 'impossible') throw new Error(rebinding.message);
    if (performance.now() > end) throw new Error(`${move.name}: ${rebinding.missing} is missing`);
    await delay(LOOK_MS);
  }
}

async function untilWithdrawn(exposer: RestoreExposer, move: RestoreMove): Promise<void> {
  for (let looks = 1; (await exposer.withdraw(move)).type !== 'withdrawn'; looks++) {
    if (looks === LOOKS_MAX) throw new Error(`${move.name} is not withdrawn`);
    await delay(LOOK_MS);
  }
}

function checkVolume(t: Test, volumes: readonly ApiObject[]): void {
  const own = volumes.filter(({ spec }) => {
    // core/v1, PersistentVolumeSpec.
    const { claimRef } = spec as { claimRef?: { namespace?: string } };
    return claimRef?.namespace === TARGETS;
  });
  t.equal(own.length, 1);
  t.match(own[0], { spec: { persistentVolumeReclaimPolicy: 'Delete' } }, 'as its class has it');
  const { labels = {}, annotations = {} } = own[0]?.metadata ?? {};
  t.notOk('stevedore.io/made-for' in labels, 'no mark of ours');
  t.notOk(POLICY_BEFORE in annotations);
}
