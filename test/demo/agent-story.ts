// The second act: an annotated pod is backed up by the node agent, goes away, comes back empty, and
// is filled again. The demo plays the Velero server and the kubelet, by the objects and files that
// they write; the agent is a process of its own, and all it knows it is told by the API server,
// which is within the demo or a real one.

import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { formatBytes, formatDuration } from '#engine/cli/quantity.ts';
import { createRepository } from '#engine/index.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import type { SeedObject } from '#test/kube-emulator/kube-emulator.ts';
import { ServiceProcess } from '#test/support/service-process.ts';
import { type ListedEntry, listingDifferences, treeListing } from '#test/support/tree-listing.ts';
import { BACKUPS, DemoCluster, PODS, RESTORES } from './demo-cluster.ts';
import { makeSource } from './engine-story.ts';
import { PASSWORD, say } from './say.ts';
import * as velero from './velero-objects.ts';

interface Move extends KubeObject {
  readonly status?: {
    readonly phase?: string;
    readonly message?: string;
    readonly snapshotID?: string;
    readonly progress?: { readonly totalBytes?: number; readonly bytesDone?: number };
  };
}

export interface StoryOptions {
  /** A directory to take for the volume's content; it is only read. */
  readonly given: string | undefined;
  /** Of a real cluster. */
  readonly kubeconfig: string | undefined;
  readonly stack: AsyncDisposableStack;
}

const POD = 'web-1';
const TERMINAL = ['Completed', 'Failed', 'Canceled'];
const TIDY_MS_MAX = 10_000;
const BAR_COLUMNS = 24;
const DIFFERENCES_SHOWN_MAX = 20;

/** How many differences there were. What has to be put away afterwards goes onto `stack`. */
export async function agentStory(
  place: string,
  { given, kubeconfig, stack }: StoryOptions,
): Promise<number> {
  console.log('\nThe node agent: back up the volume of a pod beneath Velero, and bring it back\n');
  const at = (path: string) => join(place, path);
  const volumeOf = ({ uid }: velero.PodIdentity) =>
    at(`pods/${uid}/volumes/kubernetes.io~empty-dir/${velero.VOLUME}`);
  for (const path of ['bucket', 'cache', 'pods']) mkdirSync(at(path), { recursive: true });
  const cluster = stack.use(await DemoCluster.open(place, kubeconfig));
  await cluster.begin();
  const { names } = cluster;
  const folder = at(`bucket/kopia/${names.shop}`);
  mkdirSync(folder, { recursive: true });
  const owner = { user: 'default', host: 'default' };
  const url = pathToFileURL(folder).href;
  await createRepository({ url, password: PASSWORD, owner, forVelero: true });
  for (const seed of velero.surroundings(at('bucket'), PASSWORD, names)) await cluster.create(seed);
  await cluster.create(velero.account(names));

  const first = await startPod(cluster, velero.pod(POD, { names }));
  await makeSource(volumeOf(first), given);
  const before = await treeListing(volumeOf(first));
  say('pod', `${names.shop}/${POD}, annotated to back up its volume`);
  const agent = stack.use(
    new ServiceProcess([
      ...['node-agent', 'server'],
      ...['--kubeconfig', cluster.kubeconfig, '--namespace', names.velero],
      ...['--node-name', names.node, '--host-pods', at('pods')],
      ...['--metrics-address', '127.0.0.1:0'],
      ...['--cache-dir', at('cache'), '--cache-limit', '256MiB', '--cache-allow-root-disk'],
    ]),
  );
  const startedMs = performance.now();
  const { port } = await agent.lineWith(({ message }) => message === 'metrics are served');
  await agent.lineWith(({ message }) => message === 'ready');
  say('agent', `ready in ${formatDuration(performance.now() - startedMs)}`);

  const daily = identityOf(await cluster.create(velero.order('Backup', 'daily', names)));
  await cluster.create(velero.podVolumeBackup('daily-1', daily, first, names));
  const backup = await followMove(cluster, BACKUPS, 'daily-1', 'backup');
  const snapshotId = backup.status?.snapshotID ?? '';
  say('', `snapshot ${snapshotId}`);

  await cluster.client.delete(PODS, { namespace: names.shop, name: POD });
  rmSync(at(`pods/${first.uid}`), { recursive: true });
  const second = await startPod(cluster, velero.pod(POD, { waiting: 'running', names }));
  mkdirSync(volumeOf(second), { recursive: true });
  say('pod', 'gone with its volume; one of the same name waits in its place, empty');

  const restore = identityOf(
    await cluster.create(velero.order('Restore', 'daily-restored', names)),
  );
  const wanted = { restored: second, snapshotId };
  await cluster.create(velero.podVolumeRestore('restored-1', restore, wanted, names));
  await followMove(cluster, RESTORES, 'restored-1', 'restore');
  const done = join(volumeOf(second), '.velero', restore.uid);
  if (!existsSync(done)) throw new Error(`there is no ${done}: the pod would wait for ever`);
  say('', `.velero/${restore.uid} is there: the pod goes on`);
  await cluster.reportPod(velero.pod(POD, { waiting: 'done', names }));
  await goneWithin(join(volumeOf(second), '.velero'), TIDY_MS_MAX);
  const differenceCount = await sayDifferences(before, volumeOf(second));
  await sayMetrics(`http://127.0.0.1:${String(port)}/metrics`);
  return differenceCount;
}

async function startPod(cluster: DemoCluster, pod: SeedObject): Promise<velero.PodIdentity> {
  const identity = identityOf(await cluster.create(pod));
  await cluster.reportPod(pod);
  return identity;
}

async function sayDifferences(before: readonly ListedEntry[], path: string): Promise<number> {
  const all = listingDifferences(before, await treeListing(path));
  // Whoever makes and removes .velero there changes it; it is put back to the microsecond.
  const differences = all.filter(line => !line.startsWith('"." mtime:'));
  const verdict = '✓ every byte and attribute equal, but the time of the root itself';
  say('volume', differences.length === 0 ? verdict : `✗ ${differences.length} differences`);
  for (const line of differences.slice(0, DIFFERENCES_SHOWN_MAX)) console.log(`    ${line}`);
  return differences.length;
}

/** @throws Error when it is still there after that */
async function goneWithin(path: string, ms: number): Promise<void> {
  for (const startMs = performance.now(); existsSync(path); await delay(20)) {
    if (performance.now() - startMs > ms) throw new Error(`${path} is still there`);
  }
}

function identityOf({ metadata: { name, uid = '' } }: KubeObject): velero.PodIdentity {
  return { name, uid };
}

/** Shows phases as they come, and a bar; ends with the object as it is in the end. */
async function followMove(
  { client, names }: DemoCluster,
  kind: Resource,
  name: string,
  title: string,
): Promise<Move> {
  const namespace = names.velero;
  const query = { namespace, fieldSelector: `metadata.name=${name}` };
  const { resourceVersion, items } = await client.list<Move>(kind, query);
  const phases: string[] = [];
  const startedMs = performance.now();
  const show = ({ status }: Move) => {
    const { phase = '', progress = {} } = status ?? {};
    if (phase !== '' && phases.at(-1) !== phase) phases.push(phase);
    if (phase === 'InProgress') showBar(progress);
    return TERMINAL.includes(phase);
  };
  items.forEach(show);
  const { signal } = new AbortController();
  for await (const event of client.watch<Move>(kind, { ...query, resourceVersion }, { signal })) {
    if (event.type === 'BOOKMARK' || !show(event.object)) continue;
    const { status } = event.object;
    const bytes = formatBytes(status?.progress?.bytesDone ?? 0);
    const took = formatDuration(performance.now() - startedMs);
    clearBar();
    say(title, phases.join(' → '));
    say('', `${bytes} in ${took}${status?.message ? `: ${status.message}` : ''}`);
    if (status?.phase !== 'Completed') throw new Error(`${name} did not complete`);
    return event.object;
  }
  throw new Error('the watch has ended');
}

function showBar({ totalBytes = 0, bytesDone = 0 }: { totalBytes?: number; bytesDone?: number }) {
  if (!process.stdout.isTTY || totalBytes === 0) return;
  const full = Math.round((bytesDone / totalBytes) * BAR_COLUMNS);
  const bar = '█'.repeat(full).padEnd(BAR_COLUMNS, '░');
  process.stdout.write(`\r  ${bar} ${formatBytes(bytesDone)} of ${formatBytes(totalBytes)}  `);
}

function clearBar(): void {
  if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
}

async function sayMetrics(url: string): Promise<void> {
  const text = await (await fetch(url)).text();
  const value = (series: string) => {
    const line = text.split('\n').find(each => each.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  };
  const moved = value('stevedore_move_bytes_total{kind="PodVolumeRestore"}');
  const resident = value('process_resident_memory_bytes');
  say('metrics', `${url} while the agent runs`);
  say('', `${formatBytes(moved)} restored, ${formatBytes(resident)} resident`);
  const sum = (name: string) =>
    text
      .split('\n')
      .filter(line => line.startsWith(name))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  const [used, limit] = [sum('stevedore_cache_used_bytes'), sum('stevedore_cache_limit_bytes')];
  say('cache', `${formatBytes(used)} of at most ${formatBytes(limit)} in use`);
  say('', 'a directory is read without it; from S3 each pack would be fetched once');
}
