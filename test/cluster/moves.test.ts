// The scenarios of moves against a real API server, with the CRDs of each Velero release that we
// serve, and many moves at once with those of the newest: what test/moves shows above the emulator.

import t, { type Test } from 'tap';
import { HttpKubeClient } from '#kube/http-client.ts';
import { connect } from '#kube/kube-config.ts';
import { playManyMoves } from '#test/moves/many-moves.ts';
import { MOVE_SCENARIOS } from '#test/moves/move-scenarios.ts';
import { playAll, type MoveWorld, type VeleroVersion } from '#test/moves/move-stage.ts';
import { moveTransitions } from '#test/moves/move-transitions.ts';
import { NAMESPACE } from '#test/moves/velero-objects.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { isMissing } from './cluster-programs.ts';
import { controlPlaneIsMissing, startControlPlane } from './control-plane.ts';
import { applyVeleroCrds, type VeleroRelease } from './velero-crds.ts';

const VERSIONS = Object.freeze({
  'v1.16.2': '1.16',
  'v1.17.2': '1.17',
  'v1.18.1': '1.18',
} satisfies Record<VeleroRelease, VeleroVersion>);

const skip = controlPlaneIsMissing() || isMissing('velero-crds');

/** An API server of its own, for as long as the test lasts. */
async function startWorld(t: Test, release: VeleroRelease): Promise<MoveWorld> {
  const plane = await startControlPlane();
  t.teardown(() => plane.stop());
  await plane.client.create({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE },
  });
  await applyVeleroCrds(plane.client, release);
  const connection = await connect({ kubeconfig: plane.kubeconfig });
  t.teardown(() => connection.close());
  return { client: new HttpKubeClient(connection), velero: VERSIONS[release] };
}

for (const release of ['v1.16.2', 'v1.17.2', 'v1.18.1'] as const) {
  t.test(`moves go their ways above the CRDs of Velero ${release}`, { skip }, async t => {
    const world = await startWorld(t, release);
    const seen = await playAll(t, world, MOVE_SCENARIOS);
    t.strictSame(seen, moveTransitions(world.velero), 'all transitions were seen, and no others');
  });
}

const seed = newSeed();
t.test(`200 backups on 20 nodes end once each, seed ${seed}`, { skip }, async t => {
  const world = await startWorld(t, 'v1.18.1');
  const random = new SeededRandom(seed);
  await playManyMoves(t, world, { nodeCount: 20, moveCount: 200, random });
});
