// 200 backups on 20 nodes, as many-moves.ts plays them, with the CRDs of each Velero version.

import t from 'tap';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { playManyMoves } from '#test/moves/many-moves.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

for (const velero of ['1.16', '1.18'] as const) {
  const seed = newSeed();
  t.test(`200 backups on 20 nodes, Velero ${velero}, seed ${seed}`, async t => {
    const api = await startKubeEmulator({ velero });
    t.teardown(() => api.stop());
    const random = new SeededRandom(seed);
    const world = { client: api.client(), velero };
    await playManyMoves(t, world, { nodeCount: 20, moveCount: 200, random });
  });
}
