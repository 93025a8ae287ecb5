// What `stevedore queue` shows of a move while it runs: a whole controller and a whole agent, and
// an S3 server that takes the first packs and never answers about the others, so that the move
// comes to a halt halfway.

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { queueDocument, queueText } from '#controller/commands/queue-report.ts';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import { createRepository, openStorage } from '#engine/index.ts';
import { askOverview } from '#proto/overview-client.ts';
import type { ClusterOverview } from '#proto/overview-messages.ts';
import { REPORT_MS } from '#proto/slot-messages.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { CREDENTIALS, startFakeS3 } from '#test/engine/storage/fake-s3.ts';
import { MemoryS3 } from '#test/faults/memory-s3.ts';
import { BACKUP, PASSWORD, startAgent } from '#test/support/agent-scene.ts';
import { putBucket } from '#test/support/bucket-location.ts';
import { agentFlags } from './agent-flags.ts';
import { startController } from './controller-scene.ts';

const MIB = 2 ** 20;
const VOLUME_BYTES = 300 * MIB;
const TEXT = 'what was there';
const PACKS_MAX = 2;
const LOOK_MS = 100;

/** The system's, by which agents report twice a second. */
const hasty: Clock = {
  now: () => systemClock.now(),
  nowNanoseconds: () => systemClock.nowNanoseconds(),
  monotonic: () => systemClock.monotonic(),
  sleep: (ms, signal) => systemClock.sleep(ms === REPORT_MS ? 500 : ms, signal),
};

t.test('a move that runs is shown with its kind, bytes, percent and rates', async t => {
  const fake = await startFakeS3(t);
  const sound = new MemoryS3();
  let packCount = 0;
  fake.play((request, response, socket) => {
    const isPack = request.method === 'PUT' && /\/p[0-9a-f]+/.test(request.url);
    if (isPack && (packCount += 1) > PACKS_MAX) return;
    sound.handle(request, response, socket);
  });
  const url = `s3://bucket/kopia/shop?endpoint=${fake.endpoint}&region=minio`;
  const storage = await openStorage(url, { s3Credentials: CREDENTIALS });
  const owner = { user: 'default', host: 'default' };
  await createRepository({ storage, password: PASSWORD, owner, forVelero: true });
  await storage.close();
  // The volume is split and hashed beside it: two seconds may go by.
  const controller = await startController(t, ['--lease-duration', '15s']);
  const { host, port, trust } = controller;
  const { flags, token } = agentFlags(t, controller);
  const agent = await startAgent(t, {
    prepare: own => putBucket(own, fake.endpoint),
    clock: hasty,
    flags: [...flags, '--memory=192MiB', '--shutdown-grace=2s'],
  });
  await agent.says('the controller gives slots');
  const pod = agent.runPod('web', TEXT);
  writeFileSync(join(agent.volumeOf(pod.uid), 'content'), randomBytes(VOLUME_BYTES));
  agent.api.add(velero.podVolumeBackup('daily-1', BACKUP, pod));
  const look = () => askOverview({ host, port, trust, token, clock: systemClock });
  let overview = await look();
  while (!isTold(overview)) {
    await systemClock.sleep(LOOK_MS);
    overview = await look();
  }
  t.comment(queueText(overview));
  const row = queueText(overview).split('\n')[3] ?? '';
  // What is left is not known when it has come to its halt already.
  const done = String.raw`[\d.]+ [KM]iB of 300 MiB, [1-9]\d? %`;
  const rates = String.raw`[\d.]+ [KM]?i?B/s( +[\dmin ]+ s)? +[\d.]+ [KM]?i?B/s`;
  t.match(row, new RegExp(`^shop/web .* ${done} +${rates} .* PodVolumeBackup/daily-1$`));
  const { running } = queueDocument(overview) as { readonly running: readonly Running[] };
  const [move] = running;
  t.match(move, { kind: 'PodVolumeBackup', move: 'PodVolumeBackup/daily-1', pod: 'web' });
  t.ok(move && move.doneBytes > 0 && move.doneBytes < move.totalBytes);
  t.equal(move?.totalBytes, VOLUME_BYTES + TEXT.length, 'as the volume was walked');
});

/** All that there is to be told of the one that runs. */
function isTold({ running }: ClusterOverview): boolean {
  const { doneBytes = 0, totalBytes, doneBytesPerSecond } = running[0]?.progress ?? {};
  const isSized = totalBytes !== undefined && doneBytes > totalBytes / 100;
  return isSized && doneBytesPerSecond !== undefined;
}

/** Of the document. */
interface Running {
  readonly doneBytes: number;
  readonly totalBytes: number;
}
