// A real API server keeps the contract that the emulator is held to, over TLS and with our client.

import t from 'tap';
import { HttpKubeClient } from '#kube/http-client.ts';
import { connect } from '#kube/kube-config.ts';
import { contractScene } from '#test/kube-contract/contract-scene.ts';
import { readContract } from '#test/kube-contract/read-contract.ts';
import { schemaContract } from '#test/kube-contract/schema-contract.ts';
import { writeContract } from '#test/kube-contract/write-contract.ts';
import { controlPlaneIsMissing, startControlPlane } from './control-plane.ts';

t.test('an API server keeps the contract', { skip: controlPlaneIsMissing() }, async t => {
  const plane = await startControlPlane();
  t.teardown(() => plane.stop());
  const connection = await connect({ kubeconfig: plane.kubeconfig });
  t.teardown(() => connection.close());
  const scene = await contractScene({
    // Two seconds before a watch ends it has a bookmark.
    client: new HttpKubeClient(connection, { watchSecondsMin: 5 }),
    // Older than the kind itself.
    oldVersion: () => '1',
    askForBookmarks: () => undefined,
  });
  writeContract(t, scene);
  schemaContract(t, scene);
  readContract(t, scene);
});
