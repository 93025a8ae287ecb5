// npm run test:csi [-- WORD...]: a real cluster with volumes of a CSI driver, and what Velero moves
// of their snapshots; with words, only the tests whose titles have them.

import t from 'tap';
import { clusterIsMissing } from '#test/cluster/cluster.ts';
import { chosenScenarios, clusterForTest } from '#test/cluster/cluster-for-test.ts';
import { BAD_UPLOADS } from './bad-uploads.ts';
import { csiIsMissing, startCsi } from './csi.ts';
import { DATA_MOVES } from './data-moves.ts';
import { EXPOSURES } from './exposures.ts';
import { HANDED_OVER } from './handed-over.ts';
import { MANY_UPLOADS } from './many-uploads.ts';
import { SNAPSHOTS } from './snapshots.ts';

const TEST_MS_MAX = 1_200_000;

const chosen = chosenScenarios([
  ...SNAPSHOTS,
  ...EXPOSURES,
  ...HANDED_OVER,
  ...DATA_MOVES,
  ...MANY_UPLOADS,
  ...BAD_UPLOADS,
]);
t.setTimeout(TEST_MS_MAX);
const skip = clusterIsMissing() || csiIsMissing();

t.test('volumes of a CSI driver', { skip }, async t => {
  t.setTimeout(TEST_MS_MAX);
  const made = await clusterForTest(t);
  if (made === undefined) return;
  const { cluster, random } = made;
  const csi = await startCsi(cluster);
  t.teardown(() => csi[Symbol.asyncDispose]());
  const world = { cluster, csi, random };
  for (const { title, skip, play } of chosen) {
    await t.test(title, { skip }, async t => {
      t.setTimeout(TEST_MS_MAX);
      await play(t, world);
    });
  }
});
