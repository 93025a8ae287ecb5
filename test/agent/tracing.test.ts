// Moves of a whole agent that are traced, and a collector that is as collectors are.

import t from 'tap';
import { createLog } from '#agent/log.ts';
import { SecretTexts } from '#agent/log-secrets.ts';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { POD_VOLUME_RESTORES } from '#agent/moves/objects/pod-volume-restore.ts';
import { ANNOTATIONS } from '#agent/moves/objects/well-known-names.ts';
import { OtlpTracing } from '#agent/otlp-tracing.ts';
import { openTracing } from '#agent/tracing.ts';
import { EngineError } from '#engine/base/errors.ts';
import { MoveTrace } from '#agent/moves/move-trace.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { until } from '#test/kube/manual-clock.ts';
import { BACKUP, ended, PASSWORD, RESTORE, startAgent } from '#test/support/agent-scene.ts';
import { logLines } from '#test/support/log-lines.ts';
import { OtlpReceiver, type ReceivedSpan } from '#test/support/otlp-receiver.ts';
import { environment, traced, withEndpoint } from '#test/support/tracing-scene.ts';

const PARENT = { traceId: 'a1'.repeat(16), spanId: 'b2'.repeat(8) };

const stagesOf = (spans: readonly ReceivedSpan[], { spanId }: ReceivedSpan): string[] =>
  spans
    .filter(({ parentSpanId }) => parentSpanId === spanId)
    .sort((one, other) => Number(one.startNs - other.startNs))
    .map(({ name, values }) => [name, values['stevedore.phase']].filter(Boolean).join(' '));

t.test('a backup and its restore are traced, stage by stage', async t => {
  const receiver = await OtlpReceiver.start(t);
  environment(t, {
    OTEL_EXPORTER_OTLP_HEADERS: 'x-token=dG9rZW4tMTIzNDU2%3D',
    OTEL_RESOURCE_ATTRIBUTES: 'k8s.cluster.name=east',
  });
  const scene = await startAgent(t, withEndpoint(receiver));
  const { api, lines, says, makeRepository, runPod, stop } = scene;
  await makeRepository();
  const { uid } = runPod('web', 'what was there');
  await says('ready');
  api.add(velero.podVolumeBackup('daily-1', BACKUP, { name: 'web', uid }));
  const backup = await ended(api, POD_VOLUME_BACKUPS, 'daily-1');
  const restored = runPod('web-2', undefined, { waiting: 'running' });
  const order = { restored, snapshotId: String(backup?.snapshotID) };
  const restore = velero.podVolumeRestore('restored-1', RESTORE, order);
  const { traceId, spanId } = PARENT;
  const annotations = { traceparent: `00-${traceId}-${spanId}-01` };
  api.add({ ...restore, metadata: { ...restore.metadata, annotations } });
  await ended(api, POD_VOLUME_RESTORES, 'restored-1');
  await stop();

  const [back, again] = receiver.named('move');
  t.match(back.values, {
    'service.name': 'stevedore-agent',
    'service.version': /^\d/,
    'k8s.node.name': velero.NODE,
    'k8s.cluster.name': 'east',
    'stevedore.kind': 'PodVolumeBackup',
    'stevedore.move': 'velero/daily-1',
    'stevedore.backup': BACKUP.name,
    'stevedore.location': 'default',
    'stevedore.is_taken_over': false,
    'stevedore.outcome': 'Completed',
    'stevedore.bytes': 14,
    'stevedore.files': 1,
  });
  const begin = ['write status Accepted', 'write status Prepared', 'wait for a slot'];
  const moving = ['write status InProgress', 'find the volume', 'open the repository'];
  t.strictSame(stagesOf(receiver.spans, back), [
    ...[...begin, ...moving, 'plan', 'upload', 'publish', 'read again', 'tidy up'],
    'write status Completed',
  ]);
  t.strictSame(stagesOf(receiver.spans, again), [
    ...[...begin, ...moving, 'plan', 'restore', 'tell the pod', 'write status Completed'],
  ]);
  t.match(again, { traceId, parentSpanId: spanId }, 'it is a part of the trace that asked for it');

  const moveUid = api.object(POD_VOLUME_BACKUPS, { namespace: 'velero', name: 'daily-1' })?.metadata
    .uid;
  t.equal(back.traceId, moveUid?.replaceAll('-', ''), 'the id of the object is that of the trace');
  t.equal(back.parentSpanId || undefined, undefined);
  t.equal(traced(api, 'daily-1'), back.traceId);
  t.equal(traced(api, 'restored-1', POD_VOLUME_RESTORES), traceId);
  // Each is an object of JSON.
  const said = lines.map(line => JSON.parse(line) as Record<string, unknown>);
  const ofMove = said.filter(({ move }) => move === 'velero/daily-1');
  t.ok(ofMove.length >= 5);
  t.strictSame([...new Set(ofMove.map(line => line.traceId))], [back.traceId]);
  const phases = said.filter(line => line.move === 'velero/daily-1' && line.phase !== undefined);
  t.strictSame(
    phases.map(({ phase }) => phase),
    ['Accepted', 'Prepared', 'InProgress', 'Completed'],
    'one line for each phase',
  );
  t.match(receiver.requests[0], {
    path: '/v1/traces',
    headers: { 'x-token': 'dG9rZW4tMTIzNDU2=' },
  });
  const sent = JSON.stringify(receiver.spans, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  t.notMatch(sent, PASSWORD);
  t.notMatch(sent, scene.directory, 'nor is a path of this node in it');
});

t.test('an agent that takes a move over goes on with its trace', async t => {
  const receiver = await OtlpReceiver.start(t);
  const { api, makeRepository, runPod, says, stop } = await startAgent(t, withEndpoint(receiver));
  await makeRepository();
  await says('ready');
  const move = velero.podVolumeBackup('daily-1', BACKUP, runPod('web', 'text'));
  const annotations = { [ANNOTATIONS.traceId]: 'c3'.repeat(16) };
  const status = { phase: 'InProgress', startTimestamp: '2026-01-01T00:00:00Z' };
  api.add({ ...move, metadata: { ...move.metadata, annotations }, status });
  t.match(await ended(api, POD_VOLUME_BACKUPS, 'daily-1'), { phase: 'Completed' });
  await stop();
  const values = { 'stevedore.is_taken_over': true, 'stevedore.outcome': 'Completed' };
  t.match(receiver.named('move'), [{ traceId: 'c3'.repeat(16), values }]);
});

t.test('a move that fails is traced with its code, and without its message', async t => {
  const receiver = await OtlpReceiver.start(t);
  const { api, makeRepository, runPod, says, stop } = await startAgent(t, withEndpoint(receiver));
  await makeRepository();
  await says('ready');
  const { uid } = runPod('web');
  const lost = { name: 'web', uid: uid.replace(/^..../, 'ffff') };
  api.add(velero.podVolumeBackup('daily-1', BACKUP, lost));
  const status = await ended(api, POD_VOLUME_BACKUPS, 'daily-1');
  await stop();
  const [move] = receiver.named('move');
  const code = /\((\w+)\)$/.exec(String(status?.message))?.[1];
  t.match(move.values, { 'stevedore.outcome': 'Failed', 'error.type': code });
  t.match(receiver.named('find the volume'), [{ values: { 'error.type': code } }]);
});

function tracingTo({ url }: OtlpReceiver, environment: Record<string, string> = {}) {
  const { lines, write } = logLines();
  const log = createLog({ level: 'info', format: 'json', write });
  const settings = { endpoint: new URL(url), nodeName: 'n', environment };
  return { tracing: new OtlpTracing(settings, log), lines };
}

const IDENTITY = { traceId: 'd4'.repeat(16) };

t.test('an outage is said once, and its end once', async t => {
  const receiver = await OtlpReceiver.start(t, 500);
  const { tracing, lines } = tracingTo(receiver);
  const sendABatch = () => {
    for (let count = 0; count < 512; count++) tracing.begin('move', {}, IDENTITY)?.end();
  };
  for (const requests of [1, 2]) {
    sendABatch();
    await until(() => receiver.requests.length >= requests);
  }
  receiver.answer = 200;
  sendABatch();
  await until(() => receiver.spans.length >= 512);
  await tracing.stop(5000);
  t.match(
    lines.map(line => JSON.parse(line) as object),
    [{ message: 'traces cannot be sent, and are dropped' }, { message: 'traces are sent again' }],
  );
});

t.test('spans that cannot be sent are dropped when there are too many', async t => {
  const receiver = await OtlpReceiver.start(t);
  const { tracing } = tracingTo(receiver);
  for (let count = 0; count < 10_000; count++) tracing.begin('move', {}, IDENTITY)?.end();
  await tracing.stop(10_000);
  t.ok(receiver.spans.length >= 2048);
  t.ok(receiver.spans.length <= 2048 + 512, `${receiver.spans.length} were kept`);
});

t.test('settings of sampling that are not understood are said, and all is traced', async t => {
  const receiver = await OtlpReceiver.start(t);
  for (const [OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG] of [
    ['xray', ''],
    ['traceidratio', 'half'],
  ]) {
    const variables = { OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG };
    const { tracing, lines } = tracingTo(receiver, variables);
    t.match(lines.join(''), 'a setting of sampling is not understood');
    t.ok(tracing.begin('move', {}, IDENTITY));
    await tracing.stop(1000);
  }
  const { tracing } = tracingTo(receiver, { OTEL_TRACES_SAMPLER: 'always_off' });
  t.equal(tracing.begin('move', {}, IDENTITY), undefined);
});

t.test('what a collector is asked with is no secret that gets into the log', async t => {
  environment(t, { OTEL_EXPORTER_OTLP_HEADERS: 'a=b,authorization=Token%20abcdef123' });
  const secrets = new SecretTexts();
  const { write } = logLines();
  const log = createLog({ level: 'info', format: 'json', write });
  const settings = { otlpEndpoint: new URL('http://127.0.0.1:1'), nodeName: 'n' };
  const tracing = await openTracing(settings, { log, secrets });
  await tracing?.stop(1);
  t.notMatch(secrets.hideIn('it said Token abcdef123'), 'abcdef123');
  t.notMatch(secrets.hideIn('it said Token%20abcdef123'), 'abcdef123');
});

t.test('without an endpoint there is no tracer', async t => {
  const { write } = logLines();
  const log = createLog({ level: 'info', format: 'json', write });
  const settings = { otlpEndpoint: undefined, nodeName: 'n' };
  t.equal(await openTracing(settings, { log, secrets: new SecretTexts() }), undefined);
});

t.test('work that was given up changes nothing of a trace that has ended', async t => {
  const receiver = await OtlpReceiver.start(t);
  const { tracing } = tracingTo(receiver);
  const span = tracing.begin('move', {}, IDENTITY);
  if (span === undefined) throw new Error('it is sampled');
  const trace = new MoveTrace(span);
  trace.enter('upload');
  trace.end({ outcome: 'Failed' }, new EngineError('VOLUME_UNRESPONSIVE', '').code);
  trace.enter('publish');
  trace.set({ files: 1 });
  await tracing.stop(5000);
  t.strictSame(receiver.spans.map(({ name }) => name).sort(), ['move', 'upload']);
  t.match(receiver.named('upload'), [{ values: { 'error.type': 'VOLUME_UNRESPONSIVE' } }]);
  t.notMatch(receiver.named('move')[0].values, { 'stevedore.files': 1 });
});
