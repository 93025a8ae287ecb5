// What goes into the bundle of `stevedore diagnose`: a table of files with how each is read. What
// may not be read is a file that says so; Secrets are in none.

import { isEngineError, messageOf } from '#engine/base/errors.ts';
import { CONFIG_MAPS, DAEMON_SETS, DEPLOYMENTS, NODES, PODS } from '#kube/core-resources.ts';
import { EVENTS } from '#kube/events.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { veleroResource } from '#agent/moves/objects/move-object.ts';
import { REPOSITORIES, STORAGE_LOCATIONS } from '#agent/repositories/repository-objects.ts';
import { bundledObject, isOurName, namedConfigMaps } from './bundled-objects.ts';
import type { Cluster } from './cluster-verb.ts';
import { type AgentPod, askPod, containerOf, readText } from './installed-agents.ts';
import { MOVE_KINDS } from './listed-moves.ts';
import type { Redaction } from './redact.ts';

export interface BundleFile {
  readonly name: string;
  readonly text: string;
}

export interface BundleParts {
  readonly cluster: Cluster;
  /** Velero's. */
  readonly namespace: string;
  readonly redaction: Redaction;
  readonly signal: AbortSignal;
}

const OBJECTS: readonly (readonly [name: string, resource: Resource])[] = [
  ...MOVE_KINDS.map(({ resource }) => [`moves/${resource.plural}`, resource] as const),
  ['velero/backups', veleroResource('backups', 'Backup')],
  ['velero/restores', veleroResource('restores', 'Restore')],
  ['velero/backupstoragelocations', STORAGE_LOCATIONS],
  ['velero/backuprepositories', REPOSITORIES],
  ['config/configmaps', CONFIG_MAPS],
  ['config/daemonsets', DAEMON_SETS],
  ['config/deployments', DEPLOYMENTS],
  ['pods', PODS],
  ['events', EVENTS],
];
/** Of each list; the newest are kept. */
const OBJECTS_MAX = 1000;
const LOG_LINES_MAX = 5000;
const LOG_BYTES_MAX = 2 * 2 ** 20;
const PODS_MAX = 50;

/** One by one, so that only one of them is in memory. */
export async function* bundleFiles(parts: BundleParts): AsyncGenerator<BundleFile> {
  const { cluster, redaction, signal } = parts;
  const { kube } = cluster;
  yield await fileOf('versions/kubernetes.json', async () =>
    json(redaction.value(await kube.read('/version', { signal }))),
  );
  let known: ReadonlySet<string> | undefined;
  for (const [name, resource] of OBJECTS) {
    if (resource === CONFIG_MAPS) known = await knownConfigMaps(parts);
    yield await fileOf(`${name}.json`, () => listText(parts, resource, known));
  }
  yield await fileOf('nodes.json', () => nodesText(parts));
  yield* podFiles(parts);
}

async function fileOf(name: string, read: () => Promise<string>): Promise<BundleFile> {
  try {
    return { name, text: await read() };
  } catch (error) {
    if (!isEngineError(error) || error.code === 'ABORTED') throw error;
    return { name: `${name}.missing`, text: `${messageOf(error)} (${error.code})\n` };
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

async function knownConfigMaps({ cluster, namespace, signal }: BundleParts) {
  try {
    const lists = await Promise.all(
      [DAEMON_SETS, DEPLOYMENTS].map(each => cluster.kube.list(each, { namespace }, { signal })),
    );
    return namedConfigMaps(lists.flatMap(({ items }) => items));
  } catch (error) {
    // Their own files say so.
    if (!isEngineError(error, 'KUBE_FORBIDDEN')) throw error;
    return undefined;
  }
}

async function listText(
  { cluster, namespace, redaction, signal }: BundleParts,
  resource: Resource,
  known: ReadonlySet<string> = new Set(),
): Promise<string> {
  const { items } = await cluster.kube.list(resource, { namespace }, { signal });
  const timeOf = ({ metadata }: KubeObject) => Date.parse(metadata.creationTimestamp ?? '') || 0;
  const newest = items.toSorted((one, other) => timeOf(other) - timeOf(one)).slice(0, OBJECTS_MAX);
  const leftOut = items.length - newest.length;
  // Items of a list do not name their kind.
  const { kind } = resource;
  const bundled = newest.map(item => bundledObject({ ...item, kind }, known));
  return json({ leftOut, items: bundled.map(item => redaction.value(item)) });
}

/** What of nodes matters to disks and moves. */
async function nodesText({ cluster, redaction, signal }: BundleParts): Promise<string> {
  type Node = KubeObject & { readonly status?: Readonly<Record<string, unknown>> };
  const { items } = await cluster.kube.list<Node>(NODES, {}, { signal });
  const shown = items.slice(0, OBJECTS_MAX).map(({ metadata: { name, labels }, status = {} }) => {
    const { capacity, allocatable, conditions, nodeInfo } = status;
    return { name, labels, capacity, allocatable, conditions, nodeInfo };
  });
  return json(redaction.value(shown));
}

async function* podFiles(parts: BundleParts): AsyncGenerator<BundleFile> {
  const { cluster, namespace, redaction, signal } = parts;
  let pods: readonly AgentPod[] = [];
  try {
    pods = (await cluster.kube.list<AgentPod>(PODS, { namespace }, { signal })).items;
  } catch (error) {
    // pods.json.missing says it already.
    if (!isEngineError(error, 'KUBE_FORBIDDEN')) throw error;
  }
  const ours = pods.filter(({ metadata }) => isOurName(metadata.name)).slice(0, PODS_MAX);
  for (const pod of ours) {
    const { name } = pod.metadata;
    const container = containerOf(pod.spec)?.name ?? '';
    const logOf = async (more: Readonly<Record<string, string>>) => {
      const limits = { tailLines: String(LOG_LINES_MAX), limitBytes: String(LOG_BYTES_MAX) };
      const query = new URLSearchParams({ container, ...limits, ...more });
      const place = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/`;
      const path = `${place}${encodeURIComponent(name)}/log?${query.toString()}`;
      return redaction.text(await readText(cluster.connection, path, signal));
    };
    yield await fileOf(`logs/${name}.log`, () => logOf({}));
    if (hasRestarted(pod)) {
      // What it said before it ended, which is why there is a fault to look for.
      yield await fileOf(`logs/${name}.previous.log`, () => logOf({ previous: 'true' }));
    }
    yield await fileOf(`metrics/${name}.txt`, async () =>
      redaction.text(await askPod(cluster.connection, pod, '/metrics', signal)),
    );
  }
}

function hasRestarted({ status }: AgentPod): boolean {
  return (status?.containerStatuses ?? []).some(({ restartCount = 0 }) => restartCount > 0);
}
