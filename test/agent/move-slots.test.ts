// The whole agent with a controller: who gives the slots is said in the log and in a metric, and
// whether it is ready has nothing to do with it.

import { renameSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { systemClock } from '#engine/base/clock.ts';
import { newStage, startController } from '#test/controller/slot-scene.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { BACKUP, ended, startAgent } from '#test/support/agent-scene.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';

t.test('a backup takes its slot from the controller, and its end is said', async t => {
  const stage = { ...(await newStage(t)), clock: systemClock };
  const options = { isPlainText: true, nodes: [velero.NODE] };
  const controller = await startController(t, stage, options);
  const { scene, desk } = controller;
  await using scratch = await ScratchDirectory.make();
  const tokenFile = scratch.join('token');
  writeFileSync(tokenFile, scene.tokenOf(velero.NODE));
  const agent = await startAgent(t, {
    flags: [
      ...[`--controller=127.0.0.1:${scene.port}`, '--controller-plain-text'],
      `--controller-token-file=${tokenFile}`,
    ],
  });
  const { port } = await agent.says('metrics are served');
  const get = async (path: string) => fetch(`http://127.0.0.1:${String(port)}${path}`);
  const standing = async () => {
    const text = await (await get('/metrics')).text();
    return /stevedore_controller_standing\{standing="(\w+)"\} 1\n/.exec(text)?.[1];
  };
  await agent.makeRepository();
  await agent.says('the controller gives slots');
  t.equal(await standing(), 'with');
  const pod = agent.runPod('web', 'what was there');
  agent.api.add(velero.podVolumeBackup('daily-1', BACKUP, pod));
  t.match(await ended(agent.api, POD_VOLUME_BACKUPS, 'daily-1'), { phase: 'Completed' });
  // A move of a few bytes may be over before there is a report in which it holds its slot.
  const asked = scene.heard.flatMap(({ saying }) =>
    saying.kind === 'slots' ? saying.report.requests : [],
  );
  t.match(asked[0], { namespace: velero.NAMESPACE, pod: 'web', location: 'default', priority: 5 });
  await scene.until(() => desk.table.heldCount === 0);
  agent.api.add(velero.podVolumeBackup('daily-2', BACKUP, { name: 'gone', uid: 'of-nobody' }));
  t.match(await ended(agent.api, POD_VOLUME_BACKUPS, 'daily-2'), { phase: 'Failed' });
  const failed = () =>
    scene.heard.flatMap(({ saying }) =>
      saying.kind === 'heartbeat' ? saying.heartbeat.failed : [],
    );
  await scene.until(() => failed().length > 0);
  t.match(failed()[0], {
    ...{ move: 'PodVolumeBackup/daily-2', pod: 'gone', phase: 'Failed', code: 'POD_NOT_FOUND' },
    message: /POD_NOT_FOUND\)$/,
  });
  const said = scene.heard.map(({ saying }) => saying).find(({ kind }) => kind === 'heartbeat');
  t.ok(said?.kind === 'heartbeat' && said.heartbeat.memory.usedBytes > 2 ** 20);
  await controller.stop();
  await agent.says('the controller is away; slots are held for their lease');
  t.equal(await standing(), 'away');
  t.equal((await get('/readyz')).status, 200);
});

t.test('an agent begins without the certificate of its controller, and sees it come', async t => {
  // As the chart mounts it: an issuer may be late, or make none.
  const stage = { ...(await newStage(t)), clock: systemClock };
  const { scene } = await startController(t, stage, { nodes: [velero.NODE] });
  await using scratch = await ScratchDirectory.make();
  const [tokenFile, caFile] = [scratch.join('token'), scratch.join('ca.crt')];
  writeFileSync(tokenFile, scene.tokenOf(velero.NODE));
  const agent = await startAgent(t, {
    flags: [
      ...[`--controller=localhost:${scene.port}`, `--controller-ca-file=${caFile}`],
      `--controller-token-file=${tokenFile}`,
    ],
  });
  await agent.says('ready');
  t.match(await agent.says('the controller is away; slots are held for their lease'), {
    error: { code: 'COORDINATOR_TLS_INVALID' },
  });
  writeFileSync(`${caFile}.new`, stage.authority.certificate);
  renameSync(`${caFile}.new`, caFile);
  await agent.says('the controller gives slots');
});

t.test('without a controller the agent says that it goes by its own limit', async t => {
  const { says, stop } = await startAgent(t);
  t.match(await says('no controller is set; this node goes by its own limit'), { slots: 1 });
  await says('ready');
  await stop();
});
