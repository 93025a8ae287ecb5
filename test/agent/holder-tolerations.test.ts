// Which taints pods that hold volumes tolerate: some of those that the agent does.

import t from 'tap';
import { holderTolerations } from '#agent/holder-tolerations.ts';
import { DEFAULT_EXPOSURE } from '#agent/moves/exposure-config.ts';
import { exposureSettings } from '#agent/moves/exposure-settings.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';

const NAME = { namespace: 'velero', name: 'node-agent' };
const SPOT = {
  key: 'kubernetes.azure.com/scalesetpriority',
  operator: 'Equal',
  value: 'spot',
  effect: 'NoSchedule',
};

t.test('a holder tolerates what stock takes over from the DaemonSet, and no more', async t => {
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  t.same(await holderTolerations(api.client(), NAME), [], 'none without a DaemonSet');
  const tolerations = [SPOT, { operator: 'Exists' }, { key: 'other', operator: 'Exists' }];
  const metadata = NAME;
  const spec = { template: { spec: { tolerations } } };
  api.add({ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata, spec });
  const taken = await holderTolerations(api.client(), NAME);
  t.same(taken, [SPOT]);
  const settings = exposureSettings(DEFAULT_EXPOSURE, 'pause', taken);
  t.same(settings.holderOf('fast').tolerations, [SPOT]);
  t.same(settings.restoreHolderOf('fast').tolerations, [SPOT]);
});
