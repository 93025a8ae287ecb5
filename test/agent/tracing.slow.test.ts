// Moves that are not traced, and a collector that is as collectors are: neither costs a move
// anything.

import t from 'tap';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { BACKUP, ended, startAgent } from '#test/support/agent-scene.ts';
import { OtlpReceiver } from '#test/support/otlp-receiver.ts';
import { environment, traced, withEndpoint } from '#test/support/tracing-scene.ts';

/** Less than the end of an agent has for it. */
const TIMEOUT_MS = '200';

t.test('without a collector no write is another one', async t => {
  const { api, lines, says, makeRepository, runPod } = await startAgent(t);
  await makeRepository();
  await says('ready');
  api.add(velero.podVolumeBackup('daily-1', BACKUP, runPod('web', 'text')));
  await ended(api, POD_VOLUME_BACKUPS, 'daily-1');
  t.equal(traced(api, 'daily-1'), undefined);
  t.notMatch(lines.join(''), 'traceId');
});

t.test('tracing asks for no write of its own', async t => {
  const writes: number[] = [];
  for (const receiver of [undefined, await OtlpReceiver.start(t)]) {
    const { api, says, makeRepository, runPod, stop } = await startAgent(
      t,
      receiver && withEndpoint(receiver),
    );
    await makeRepository();
    await says('ready');
    const { name, uid } = runPod('web', 'text');
    api.add(velero.podVolumeBackup('daily-1', BACKUP, { name, uid }));
    await ended(api, POD_VOLUME_BACKUPS, 'daily-1');
    await stop();
    const isWrite = ({ verb = '' }) => ['update', 'patch'].includes(verb);
    const ofMoves = api.requests.filter(({ resource = '' }) => resource.startsWith('podvolumeb'));
    const phases = ofMoves.filter(isWrite).length;
    writes.push(phases);
  }
  t.ok(writes[0] >= 4);
  t.ok(writes[1] <= writes[0] + 1, `${writes.join(', ')}: progress may come once more or less`);
});

t.test('one that is not sampled leaves no trace', async t => {
  const receiver = await OtlpReceiver.start(t);
  environment(t, { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' });
  const { api, makeRepository, runPod, says, stop } = await startAgent(t, withEndpoint(receiver));
  await makeRepository();
  await says('ready');
  api.add(velero.podVolumeBackup('daily-1', BACKUP, runPod('web', 'text')));
  await ended(api, POD_VOLUME_BACKUPS, 'daily-1');
  await stop();
  t.equal(traced(api, 'daily-1'), undefined);
  t.strictSame(receiver.requests, []);
});

const TROUBLE = {
  'is away': (receiver: OtlpReceiver) => receiver.stop(),
  'never answers': (receiver: OtlpReceiver) => void (receiver.answer = 'never'),
  'answers 500': (receiver: OtlpReceiver) => void (receiver.answer = 500),
};

for (const [what, begin] of Object.entries(TROUBLE)) {
  t.test(`a collector that ${what} is said, and moves go on`, async t => {
    environment(t, { OTEL_EXPORTER_OTLP_TIMEOUT: TIMEOUT_MS });
    const receiver = await OtlpReceiver.start(t);
    const endpoint = withEndpoint(receiver);
    begin(receiver);
    const { api, lines, makeRepository, runPod, says, stop } = await startAgent(t, endpoint);
    await makeRepository();
    await says('ready');
    api.add(velero.podVolumeBackup('daily-1', BACKUP, runPod('web', 'text')));
    t.match(await ended(api, POD_VOLUME_BACKUPS, 'daily-1'), { phase: 'Completed' });
    await stop();
    await says('traces cannot be sent, and are dropped');
    t.equal(lines.filter(line => line.includes('traces cannot be sent')).length, 1);
  });
}

t.test('the end of an agent does not wait for a collector that never answers', async t => {
  const receiver = await OtlpReceiver.start(t, 'never');
  const flags = [...withEndpoint(receiver).flags, '--shutdown-grace', '2s'];
  const { api, makeRepository, runPod, says, stop } = await startAgent(t, { flags });
  await makeRepository();
  await says('ready');
  api.add(velero.podVolumeBackup('daily-1', BACKUP, runPod('web', 'text')));
  await ended(api, POD_VOLUME_BACKUPS, 'daily-1');
  const startMs = performance.now();
  await stop();
  t.ok(performance.now() - startMs < 2000, 'it ends within its grace');
  t.equal(receiver.requests.length, 1, 'and has tried');
});
