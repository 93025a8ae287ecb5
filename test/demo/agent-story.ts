// The second act: an annotated pod is backed up by the node agent, goes away, comes back empty, and
// is filled again. The demo plays the Velero server and the kubelet, by the objects and files that
// they write; the agent is a process of its own, and all it knows it is told by the API server.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { formatBytes, formatDuration } from '#engine/cli/quantity.ts';
import { createRepository } from '#engine/index.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { startKubeEmulator, type KubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { listingDifferences, treeListing } from '#test/support/tree-listing.ts';
import { AgentProcess } from './agent-process.ts';
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

const BACKUP = { name: 'daily', uid: '22222222-0000-4000-8000-000000000001' };
const RESTORE = { name: 'daily-restored', uid: '77777777-0000-4000-8000-000000000001' };
const POD = 'web-1';
const TERMINAL = ['Completed', 'Failed', 'Canceled'];
const TIDY_MS_MAX = 10_000;
const BAR_COLUMNS = 24;
const DIFFERENCES_SHOWN_MAX = 20;

const PODS = resource('', 'v1', 'pods', 'Pod');
const BACKUPS = resource('velero.io', 'v1', 'podvolumebackups', 'PodVolumeBackup');
const RESTORES = resource('velero.io', 'v1', 'podvolumerestores', 'PodVolumeRestore');

function resource(group: string, version: string, plural: string, kind: string): Resource {
  return { group, version, plural, kind, isNamespaced: true };
}

/** How many differences there were. */
export async function agentStory(place: string, given: string | undefined): Promise<number> {
  console.log('\nThe node agent: back up the volume of a pod beneath Velero, and bring it back\n');
  const at = (path: string) => join(place, path);
  const volumeOf = ({ uid }: velero.PodIdentity) =>
    at(`pods/${uid}/volumes/kubernetes.io~empty-dir/${velero.VOLUME}`);
  for (const path of ['bucket', 'cache', 'pods']) mkdirSync(at(path), { recursive: true });
  const folder = at(`bucket/kopia/${velero.NAMESPACE}`);
  mkdirSync(folder, { recursive: true });
  const owner = { user: 'default', host: 'default' };
  await createRepository({
    url: pathToFileURL(folder).href,
    password: PASSWORD,
    owner,
    forVelero: true,
  });

  const api = await startKubeEmulator({ velero: '1.18' });
  try {
    for (const seed of velero.surroundings(at('bucket'), PASSWORD)) api.put(seed);
    const first = identityOf(api.add(velero.pod(POD)));
    await makeSource(volumeOf(first), given);
    const before = await treeListing(volumeOf(first));
    writeFileSync(at('kubeconfig'), api.kubeconfig());
    say('cluster', `an API server within this process, with Velero 1.18's resources`);
    say('pod', `${velero.NAMESPACE}/${POD}, annotated to back up its volume`);

    await using agent = new AgentProcess([
      ...['--kubeconfig', at('kubeconfig'), '--node-name', velero.NODE],
      ...['--host-pods', at('pods'), '--metrics-address', '127.0.0.1:0'],
      ...['--cache-dir', at('cache'), '--cache-limit', '256MiB', '--cache-allow-root-disk'],
    ]);
    const startedMs = performance.now();
    const { port } = await agent.lineWith(({ message }) => message === 'metrics are served');
    await agent.lineWith(({ message }) => message === 'ready');
    say('agent', `ready in ${formatDuration(performance.now() - startedMs)}`);

    api.add(velero.podVolumeBackup('daily-1', BACKUP, first));
    const backup = await followMove(api, BACKUPS, 'daily-1', 'backup');
    const snapshotId = backup.status?.snapshotID ?? '';
    say('', `snapshot ${snapshotId}`);

    api.remove(PODS, { namespace: velero.NAMESPACE, name: POD });
    rmSync(at(`pods/${first.uid}`), { recursive: true });
    const second = identityOf(api.add(velero.pod(POD, { waiting: 'running' })));
    mkdirSync(volumeOf(second), { recursive: true });
    say('pod', 'gone with its volume; one of the same name waits in its place, empty');

    api.add(velero.podVolumeRestore('restored-1', RESTORE, { restored: second, snapshotId }));
    await followMove(api, RESTORES, 'restored-1', 'restore');
    const done = join(volumeOf(second), '.velero', RESTORE.uid);
    if (!existsSync(done)) throw new Error(`there is no ${done}: the pod would wait for ever`);
    say('', `.velero/${RESTORE.uid} is there: the pod goes on`);
    api.put(velero.pod(POD, { waiting: 'done' }));
    await goneWithin(join(volumeOf(second), '.velero'), TIDY_MS_MAX);

    const all = listingDifferences(before, await treeListing(volumeOf(second)));
    // Whoever makes and removes .velero there changes it; it is put back to the microsecond.
    const differences = all.filter(line => !line.startsWith('"." mtime:'));
    const verdict = '✓ every byte and attribute equal, but the time of the root itself';
    say('volume', differences.length === 0 ? verdict : `✗ ${differences.length} differences`);
    for (const line of differences.slice(0, DIFFERENCES_SHOWN_MAX)) console.log(`    ${line}`);
    await sayMetrics(`http://127.0.0.1:${String(port)}/metrics`);
    return differences.length;
  } finally {
    await api.stop();
  }
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
  api: KubeEmulator,
  kind: Resource,
  name: string,
  title: string,
): Promise<Move> {
  const client = api.client();
  const namespace = 'velero';
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
