// A small round of many-moves.ts; test/long has the large one.

import t from 'tap';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { playManyMoves } from './many-moves.ts';

const seed = newSeed();
t.test(`24 backups on 4 nodes end once each, seed ${seed}`, async t => {
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  const random = new SeededRandom(seed);
  const world = { client: api.client(), velero: '1.18' } as const;
  await playManyMoves(t, world, { nodeCount: 4, moveCount: 24, random });
});
