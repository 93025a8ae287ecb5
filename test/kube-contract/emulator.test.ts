// The emulator does what test/cluster/kube-contract.test.ts sees a real API server do.

import t from 'tap';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { contractScene } from './contract-scene.ts';
import { readContract } from './read-contract.ts';
import { schemaContract } from './schema-contract.ts';
import { writeContract } from './write-contract.ts';

t.test('the emulator keeps the contract', async t => {
  const api = await startKubeEmulator();
  t.teardown(() => api.stop());
  const scene = await contractScene({
    client: api.client(),
    oldVersion: () => {
      api.compact();
      return '1';
    },
    askForBookmarks: () => api.sendBookmarks(),
  });
  writeContract(t, scene);
  schemaContract(t, scene);
  readContract(t, scene);
});
