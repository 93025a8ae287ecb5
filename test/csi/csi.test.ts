// npm run test:csi [-- WORD...]: a real cluster with volumes of a CSI driver, and what Velero moves
// of their snapshots; with words, only the tests whose titles have them.

import t from 'tap';
import { messageOf } from '#engine/base/errors.ts';
import { clusterIsMissing, startCluster } from '#test/cluster/cluster.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { csiIsMissing, startCsi } from './csi.ts';
import { DATA_MOVES } from './data-moves.ts';
import { SNAPSHOTS } from './snapshots.ts';

const TEST_MS_MAX = 1_200_000;

const words = process.argv.slice(2).filter(word => !word.startsWith('-'));
const chosen = [...SNAPSHOTS, ...DATA_MOVES].filter(({ title }) =>
  words.every(word => title.includes(word)),
);
t.setTimeout(TEST_MS_MAX);
const skip = clusterIsMissing() || csiIsMissing();

t.test('volumes of a CSI driver', { skip }, async t => {
  t.setTimeout(TEST_MS_MAX);
  const seed = Number(process.env.STEVEDORE_TEST_SEED ?? newSeed());
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const cluster = await startCluster().catch((error: unknown) => messageOf(error));
  if (typeof cluster === 'string') {
    // A machine on which containers do not run says nothing about us.
    t.pass('a cluster can be had', { skip: `no cluster can be had here: ${cluster}` });
    return;
  }
  t.teardown(() => cluster.s3.stop());
  const csi = await startCsi(cluster);
  t.teardown(() => csi[Symbol.asyncDispose]());
  const world = { cluster, csi, random: new SeededRandom(seed) };
  for (const { title, skip, play } of chosen) {
    await t.test(title, { skip }, async t => {
      t.setTimeout(TEST_MS_MAX);
      await play(t, world);
    });
  }
});
