// The scenarios of moves against the emulated API server, with the CRDs of each Velero version.

import t from 'tap';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { MOVE_SCENARIOS } from './move-scenarios.ts';
import { playAll } from './move-stage.ts';
import { moveTransitions } from './move-transitions.ts';

for (const velero of ['1.16', '1.17', '1.18'] as const) {
  t.test(`with the CRDs of Velero ${velero}`, async t => {
    const api = await startKubeEmulator({ velero });
    t.teardown(() => api.stop());
    const seen = await playAll(t, { client: api.client(), velero }, MOVE_SCENARIOS);
    t.strictSame(seen, moveTransitions(velero), 'all transitions were seen, and no others');
  });
}
