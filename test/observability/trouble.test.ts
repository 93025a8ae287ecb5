// A real Prometheus scrapes real agents and a real controller that move volumes. While all is well
// no alert is even pending; then each trouble that an alert is for is caused, and the alert
// fires; and every query of every panel has an answer.

import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { REPOSITORIES } from '#agent/repositories/repository-objects.ts';
import { alertRules } from '#test/charts/alert-rules.ts';
import { panelQueries } from '#test/charts/dashboard-queries.ts';
import { evictionHard, ObservedCluster } from './observed-cluster.ts';
import { isMissing } from './prometheus-programs.ts';
import { type Alert, PrometheusServer } from './prometheus-server.ts';

const skip = isMissing('prometheus');
const MIB = 2 ** 20;
const SCRAPE_BYTES_MAX = 100_000;
/** A move that hangs is one for a minute before its alert is pending. */
const FIRES_MS_MAX = 150_000;
const FAILURE_CODES = ['SNAPSHOT_NOT_FOUND', 'VOLUME_NOT_FOUND'];

/** With a cache that is larger than all that moves, one that is far smaller, and one that idles. */
const AGENTS = { roomy: '1GiB', small: '8MiB', idle: '64MiB' };

/** Not caused here: a disk that fails, a mount that hangs, a server that throttles. */
const NOT_CAUSED = [
  ...['StevedoreCacheDiskErrors', 'StevedoreVolumeUnresponsive', 'StevedoreStorageThrottled'],
];
/** Of what is done in the end, when all else has been seen. */
const LAST = [
  ...['StevedoreControllerLeaderless', 'StevedoreAgentAlone', 'StevedoreCacheUnavailable'],
];

async function startAll(t: Test) {
  const cluster = await ObservedCluster.start(t);
  const controller = await cluster.startController('clusterSlots: 8\nuploadRate: 512MiB\n');
  const start = (node: keyof typeof AGENTS) =>
    cluster.startAgent(node, controller.port, AGENTS[node]);
  const agents = { roomy: await start('roomy'), small: await start('small') };
  const idle = await start('idle');
  const labels = { namespace: 'velero' };
  const all = [agents.roomy, agents.small, idle];
  const targets = all.map(({ address, node }) => ({ address, labels: { ...labels, node } }));
  targets.push({ address: controller.address, labels: { ...labels, node: '' } });
  const prometheus = await PrometheusServer.start(cluster.prometheusDirectory, {
    ...{ targets, everySeconds: 1 },
  });
  t.teardown(() => prometheus[Symbol.asyncDispose]());
  return { cluster, controller, agents: { ...agents, idle }, prometheus };
}

type Scene = Awaited<ReturnType<typeof startAll>>;

/** @returns a snapshot of a volume that is larger than the small cache */
async function moveInPeace(t: Test, { cluster, prometheus }: Scene): Promise<string> {
  const up = async () => (await prometheus.value('sum(up)')) === 4;
  await prometheus.until('all are scraped', up, FIRES_MS_MAX);
  const files = { file: randomBytes(48 * MIB), name: 'a file whose name is taken later' };
  const backup = await cluster.backUp(cluster.pod('roomy', files));
  t.match(backup, { phase: 'Completed' });
  const snapshotId = String(backup?.snapshotID);
  const restored = cluster.pod('roomy', {}, { isRestored: true });
  t.match(await cluster.restore(restored, snapshotId), { phase: 'Completed' });
  // Twice, so that the cache of the node has what the second needs.
  const again = cluster.pod('roomy', {}, { isRestored: true });
  t.match(await cluster.restore(again, snapshotId), { phase: 'Completed' });
  return snapshotId;
}

/** What there is after five more scrapes, which is longer than any rule waits here. */
async function staysSilent({ prometheus }: Scene): Promise<readonly Alert[]> {
  const evaluations = () => prometheus.value('count_over_time(up{node="roomy"}[1h])');
  const wanted = (await evaluations()) + 5;
  await prometheus.until('five scrapes', async () => (await evaluations()) >= wanted, 60_000);
  return await prometheus.alerts();
}

/** All but those of the controller. */
async function causeTroubles(t: Test, scene: Scene, snapshotId: string): Promise<void> {
  const { cluster, agents } = scene;
  const noVolume = cluster.pod('small', undefined);
  t.match(await cluster.backUp(noVolume), { phase: 'Failed' });
  const noSnapshot = cluster.pod('small', {}, { isRestored: true });
  t.match(await cluster.restore(noSnapshot, 'f'.repeat(32)), { phase: 'Failed' });
  const taken = cluster.pod('small', {}, { isRestored: true });
  // A directory never gives way to a file.
  mkdirSync(join(taken.volume, 'name'));
  t.match(await cluster.restore(taken, snapshotId), { phase: 'Completed', message: /missing/ });
  const { bavail, bsize } = statfsSync(taken.volume);
  const line = Math.floor(bavail * bsize * 0.95);
  writeFileSync(agents.roomy.kubeletConfig, evictionHard(line));
  const repository = { namespace: 'velero', name: 'shop-default-kopia' };
  await agents.idle.process.end('SIGKILL');
  cluster.hang();
  const stuck = cluster.pod('roomy', { file: randomBytes(40 * MIB) });
  void cluster.backUp(stuck).catch(() => undefined);
  const running = 'stevedore_moves_running{kind="PodVolumeBackup",node="roomy"}';
  const runs = async () => (await scene.prometheus.value(running)) === 1;
  await scene.prometheus.until('it runs', runs, FIRES_MS_MAX);
  cluster.api.change(REPOSITORIES, repository, object => {
    object.status = { phase: 'NotReady', message: 'the bucket is gone' };
  });
  writeFileSync(cluster.settingsFile, 'clusterSlots: many\n');
}

/** Each of them at some time: some end by themselves, or with the next trouble. */
async function seeFiring(t: Test, { prometheus }: Scene, wanted: readonly string[]): Promise<void> {
  const startMs = performance.now();
  /** With how long it took. */
  const seen = new Map<string, number>();
  const texts = new Set<string>();
  const isSeen = async () => {
    for (const { state, labels, annotations } of await prometheus.alerts()) {
      if (state === 'firing' && !seen.has(labels.alertname)) {
        seen.set(labels.alertname, Math.round(performance.now() - startMs));
      }
      for (const text of Object.values(annotations)) texts.add(text);
    }
    return wanted.every(name => seen.has(name));
  };
  await prometheus.until('all fire', isSeen, FIRES_MS_MAX).catch(() => undefined);
  for (const name of wanted) t.ok(seen.has(name), `${name} fires (${seen.get(name) ?? '-'} ms)`);
  t.notMatch([...texts].join('\n'), /<error|<no value/, 'their texts are whole');
}

async function askAll(t: Test, { prometheus }: Scene): Promise<void> {
  for (const { name, expr } of panelQueries('1m')) {
    const samples = await prometheus.query(expr);
    t.ok(
      samples.some(({ value: [, text] }) => !Number.isNaN(Number(text))),
      name,
    );
  }
}

t.test('alerts fire of what they are for, and panels show it', { skip }, async t => {
  const scene = await startAll(t);
  const { cluster, controller, agents, prometheus } = scene;
  const snapshotId = await moveInPeace(t, scene);
  t.strictSame(await staysSilent(scene), [], 'all is well, and no alert is even pending');

  await causeTroubles(t, scene, snapshotId);
  const first = alertRules()
    .map(({ alert }) => alert)
    .filter(name => ![...NOT_CAUSED, ...LAST].includes(name));
  await seeFiring(t, scene, first);

  await askAll(t, scene);
  const codes = await prometheus.query('sum by (code) (stevedore_move_failures_total)');
  t.strictSame(codes.map(({ metric }) => metric.code).sort(), FAILURE_CODES);
  for (const { node, scrape } of [agents.roomy, agents.small]) {
    const { length } = await scrape();
    t.comment(`${node}: a scrape has ${length} bytes`);
    t.ok(length < SCRAPE_BYTES_MAX, node);
  }

  await controller.process.end('SIGKILL');
  rmSync(agents.small.cacheDirectory, { recursive: true });
  await seeFiring(t, scene, LAST);
  cluster.answer();
});
