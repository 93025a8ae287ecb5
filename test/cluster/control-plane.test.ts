// A real API server with the custom resources of each Velero: whether it is as other tests and the
// contract (1.1, 1.2) have it.

import t, { type Test } from 'tap';
import { ApiProblem, pathOf, type ApiClient, type ApiObject } from './api-client.ts';
import { isMissing } from './cluster-programs.ts';
import { controlPlaneIsMissing, startControlPlane } from './control-plane.ts';
import { applyVeleroCrds, VELERO_RELEASES, type VeleroRelease } from './velero-crds.ts';

const namespace: ApiObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'velero' } };

function volumeBackup(phase: string): ApiObject {
  return {
    apiVersion: 'velero.io/v1',
    kind: 'PodVolumeBackup',
    metadata: { name: `backup-${phase.toLowerCase()}`, namespace: 'velero' },
    spec: {
      node: 'node1',
      pod: { kind: 'Pod', namespace: 'shop', name: 'web', uid: 'u' },
      volume: 'data',
      backupStorageLocation: 'default',
      repoIdentifier: '',
      uploaderType: 'kopia',
    },
    status: { phase },
  };
}

/** As the contract has them (1.1, 1.2): older servers know fewer phases. */
const PHASES_OF_ALL = ['New', 'InProgress', 'Completed', 'Failed'];
const PHASES_SINCE_1_17 = ['Accepted', 'Prepared', 'Canceling', 'Canceled'];

async function refusal(client: ApiClient, object: ApiObject): Promise<number | undefined> {
  try {
    await client.create(object);
    return undefined;
  } catch (error) {
    if (error instanceof ApiProblem) return error.status;
    throw error;
  }
}

async function tryPhases(t: Test, client: ApiClient, release: VeleroRelease): Promise<void> {
  const isOld = release === 'v1.16.2';
  for (const phase of [...PHASES_OF_ALL, ...PHASES_SINCE_1_17, 'Resting']) {
    const isKnown = PHASES_OF_ALL.includes(phase) || (!isOld && phase !== 'Resting');
    const status = await refusal(client, volumeBackup(phase));
    t.equal(status, isKnown ? undefined : 422, `${phase} is ${isKnown ? '' : 'not '}taken`);
    if (isKnown) await client.delete(pathOf(volumeBackup(phase)));
  }
}

const skip = controlPlaneIsMissing() || isMissing('velero-crds');

for (const release of VELERO_RELEASES) {
  t.test(`an API server has the custom resources of Velero ${release}`, { skip }, async t => {
    await using plane = await startControlPlane();
    const { client } = plane;
    await client.create(namespace);
    await applyVeleroCrds(client, release);
    await t.test('phases are those of that release', t => tryPhases(t, client, release));
    await t.test('status is written with the object, and not beside it', async t => {
      const backup = volumeBackup('New');
      await client.create(backup);
      const changed = await client.patch(pathOf(backup), { status: { phase: 'InProgress' } });
      t.match(changed, { status: { phase: 'InProgress' } });
      t.equal(await client.answers(`${pathOf(backup)}/status`), false);
    });
    await t.test('a write with an old version of the object is a conflict', async t => {
      const backup = volumeBackup('Failed');
      const { metadata } = await client.create(backup);
      await client.patch(pathOf(backup), { status: { message: 'changed' } });
      const late = { metadata: { resourceVersion: metadata.resourceVersion } };
      await t.rejects(client.patch(pathOf(backup), late), { message: /409/ });
    });
  });
}
