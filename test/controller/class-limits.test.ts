// Limits per storage class, for real: a whole controller and a whole agent, whose pods have claims.

import t from 'tap';
import { queueDocument } from '#controller/commands/queue-report.ts';
import { systemClock } from '#engine/base/clock.ts';
import { askOverview } from '#proto/overview-client.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { BACKUP, startAgent } from '#test/support/agent-scene.ts';
import { agentFlags } from './agent-flags.ts';
import { startController } from './controller-scene.ts';

t.test('a volume waits at the limit of the class of its claim', async t => {
  const controller = await startController(t, ['--storage-class-slots', '{nfs: 0}']);
  const { host, port, trust } = controller;
  const { flags, token } = agentFlags(t, controller);
  const agent = await startAgent(t, { flags });
  await agent.says('the controller gives slots');
  const metadata = { name: 'files', namespace: velero.NAMESPACE };
  agent.api.add({
    kind: 'PersistentVolumeClaim',
    metadata,
    spec: { storageClassName: 'nfs', volumeName: 'pv-1' },
  });
  const { spec, ...rest } = velero.pod('web');
  const volumes = [{ name: velero.VOLUME, persistentVolumeClaim: { claimName: 'files' } }];
  const added = agent.api.add({ ...rest, spec: { ...(spec as object), volumes } });
  const pod = { name: 'web', uid: added.metadata.uid ?? '' };
  agent.api.add(velero.podVolumeBackup('daily-1', BACKUP, pod));
  const { message } = await agent.says('move waits');
  t.comment(message);
  const overview = await askOverview({ host, port, trust, token, clock: systemClock });
  t.match(queueDocument(overview), {
    running: [],
    waiting: [
      {
        move: 'PodVolumeBackup/daily-1',
        storageClass: 'nfs',
        cause: 'stopped',
        limit: { kind: 'class', name: 'nfs' },
      },
    ],
  });
  const gets = agent.api.requests.filter(({ path }) => path.includes('persistentvolumeclaims'));
  t.equal(gets.length, 1, 'the claim was read once');
});
