// Thirty snapshots that are moved by three agents, which are killed again and again.

import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { SNAPSHOT_CONTENTS, SNAPSHOTS } from '#agent/exposer/exposed-objects.ts';
import { isTerminal, phaseOf } from '#agent/moves/phases.ts';
import { listSnapshots } from '#engine/index.ts';
import { CLAIMS, PERSISTENT_VOLUMES, PODS } from '#kube/core-resources.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import { connect } from '#kube/kube-config.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { keyOf, type KubeObject } from '#kube/kube-object.ts';
import type { ApiObject } from '#test/cluster/api-client.ts';
import type { ChildProgram } from '#test/cluster/child-program.ts';
import { isMissing } from '#test/cluster/cluster-programs.ts';
import type { SeededRandom } from '#test/support/random.ts';
import { type Installation, VELERO_PROGRAMS } from '#test/velero/installation.ts';
import { openStored } from '#test/velero/stored-snapshots.ts';
import { fillWithBytes } from '#test/velero/volume-content.ts';
import { CsiWorkload, type CsiClaim } from './csi-workload.ts';
import type { Scenario, World } from './scenario.ts';
import { askForUpload, DATA_UPLOADS_PATH, takeSnapshot } from './uploads.ts';
import { veleroIn } from './velero-here.ts';

const UPLOADS = 30;
const AGENTS = ['node1', 'node2', 'node3'] as const;
/** Of the first one's metrics. */
const PORT = 18_085;
const NAMESPACE = 'thirty';
const BACKUP = 'thirty';
const CLAIM: CsiClaim = { name: 'data', mode: 'Filesystem', size: '16Mi' };
const BYTES = 1 << 20;
const ENDED_MS_MAX = 480_000;
const LOOK_MS = 100;
/** An agent lives so long; it takes a second to start. */
const LIFE_MS = [1_500, 6_000] as const;
const KINDS = [SNAPSHOTS, SNAPSHOT_CONTENTS, CLAIMS, PERSISTENT_VOLUMES, PODS] as const;

export const MANY_UPLOADS: readonly Scenario[] = [
  {
    title: 'thirty snapshots are moved once each by three agents that are killed all the time',
    skip: isMissing(...VELERO_PROGRAMS),
    play: moveThirty,
  },
];

async function moveThirty(t: Test, { cluster, csi, random }: World): Promise<void> {
  const installation = await veleroIn(cluster);
  const { client: api } = installation;
  await installation.useNoAgent();
  const connection = await connect({ kubeconfig: cluster.plane.kubeconfig });
  t.teardown(() => connection.close());
  const client = new HttpKubeClient(connection);
  const workload = new CsiWorkload(api, NAMESPACE);
  await workload.start([CLAIM]);
  fillWithBytes(await workload.volumePath(CLAIM), BYTES);
  // Somebody's own, of the same claim.
  await workload.snapshot(CLAIM.name);
  for (const name of AGENTS.slice(1)) {
    await api.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: ASIDE });
  }
  const before = await objectsOf(client);
  const uids = await uidsOfClaim(api);
  await Promise.all(Array.from({ length: UPLOADS }, (_, index) => ask(api, index, uids)));

  const watch = watchEnds(api);
  await using agents = new MortalAgents(installation, random);
  const ends = await watch;
  t.comment(`agents were killed ${agents.killedCount} times`);
  agents.stopKilling();
  t.ok(agents.killedCount >= AGENTS.length, 'agents were killed');
  const count = (phase: string) => ends.filter(({ status }) => status?.phase === phase).length;
  const failures = ends.flatMap(({ status }) => (status?.message as string | undefined) ?? []);
  t.equal(count('Completed'), UPLOADS, `all are Completed: ${failures.join('; ')}`);
  await untilNothingIsLeft(t, client, before);
  t.equal(csi.store.snapshots.length, 1, "but for somebody's own no snapshot is on the storage");
  t.equal(csi.store.volumes.length, 1, 'nor another volume');
  const stored = await openStored(installation.cluster.s3, NAMESPACE);
  await using repository = stored;
  const snapshots = await listSnapshots(repository, {});
  t.same(
    snapshots.map(({ id }) => id).toSorted(),
    ends.map(({ status }) => String(status?.snapshotID)).toSorted(),
    'the repository has those that are named, and no other',
  );
  const again = await api.list(
    `${DATA_UPLOADS_PATH}?labelSelector=velero.io/backup-name%3D${BACKUP}`,
  );
  t.same(
    again.map(({ metadata, status }) => [metadata.name, status]),
    ends.map(({ metadata, status }) => [metadata.name, status]),
    'what has ended has not changed since',
  );
  for (const { metadata } of ends) await api.delete(`${DATA_UPLOADS_PATH}/${metadata.name}`);
  for (const name of AGENTS.slice(1)) await api.delete(`/api/v1/nodes/${name}`);
  await workload.delete();
}

/** No pod goes there, as there is no kubelet. */
const ASIDE = Object.freeze({ unschedulable: true });

/** Three processes, one of which is killed at any time, and follows itself at once. */
class MortalAgents implements AsyncDisposable {
  killedCount = 0;
  readonly #installation: Installation;
  readonly #random: SeededRandom;
  readonly #running = new Map<string, ChildProgram>();
  readonly #end = new AbortController();
  readonly #killing: Promise<void>;

  constructor(installation: Installation, random: SeededRandom) {
    this.#installation = installation;
    this.#random = random;
    for (const name of AGENTS) this.#start(name);
    this.#killing = this.#kill();
  }

  stopKilling(): void {
    this.#end.abort();
  }

  #start(name: (typeof AGENTS)[number]): void {
    const address = `127.0.0.1:${PORT + AGENTS.indexOf(name)}`;
    const words = [`--node-name=${name}`, `--metrics-address=${address}`];
    this.#running.set(name, this.#installation.startAgent(words));
  }

  async #kill(): Promise<void> {
    const { signal } = this.#end;
    const [shortest, longest] = LIFE_MS;
    while (!signal.aborted) {
      const lifeMs = shortest + this.#random.below(longest - shortest);
      await delay(lifeMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const name = AGENTS[this.#random.below(AGENTS.length)] ?? AGENTS[0];
      await this.#running.get(name)?.stop();
      this.killedCount++;
      this.#start(name);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopKilling();
    await this.#killing;
    await Promise.all([...this.#running.values()].map(agent => agent.stop()));
  }
}

async function uidsOfClaim(api: Installation['client']): Promise<string> {
  const path = `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims/${CLAIM.name}`;
  return (await api.get(path)).metadata.uid ?? '';
}

async function ask(api: Installation['client'], index: number, claimUid: string): Promise<void> {
  const name = `${NAMESPACE}-${String(index).padStart(2, '0')}`;
  const of = { namespace: NAMESPACE, claim: CLAIM.name, claimUid, backup: BACKUP };
  await takeSnapshot(api, name, of);
  await askForUpload(api, name, of);
}

/** Resolves with all of them, when all are at their end. */
async function watchEnds(api: Installation['client']): Promise<readonly ApiObject[]> {
  const ended = new Map<string, string>();
  for (const end = performance.now() + ENDED_MS_MAX; performance.now() < end;) {
    const all = await api.list(
      `${DATA_UPLOADS_PATH}?labelSelector=velero.io/backup-name%3D${BACKUP}`,
    );
    for (const { metadata, status } of all) {
      const text = JSON.stringify(status);
      const before = ended.get(metadata.name);
      if (before !== undefined && before !== text) {
        throw new Error(`${metadata.name} was at its end with ${before}, and has now ${text}`);
      }
      if (isTerminal(phaseOf(status?.phase as string | undefined) ?? 'New'))
        ended.set(metadata.name, text);
    }
    if (ended.size === UPLOADS) return all;
    await delay(LOOK_MS);
  }
  const phases = (
    await api.list(`${DATA_UPLOADS_PATH}?labelSelector=velero.io/backup-name%3D${BACKUP}`)
  ).map(({ metadata, status }) => [metadata.name, status]);
  throw new Error(`not all are at their end: ${JSON.stringify(phases)}`);
}

type Metadata = KubeObject['metadata'] & { readonly managedFields?: readonly object[] };

/** A DaemonSet makes one for each node. */
function isAgentPod({ metadata }: KubeObject): boolean {
  return metadata.labels?.['name'] === 'node-agent';
}

/** But for who has changed it when, and what the kubelet says of a pod. */
function asWritten<Item extends KubeObject>(item: Item): KubeObject {
  // What else of the API there is in both.
  const { resourceVersion: _version, managedFields: _who, ...metadata } = item.metadata as Metadata;
  const isPod = 'containers' in ((item as { spec?: object }).spec ?? {});
  return isPod ? { ...item, metadata, status: undefined } : { ...item, metadata };
}

/** All objects that a move may touch, by name. */
async function objectsOf(client: KubeClient): Promise<ReadonlyMap<string, KubeObject>> {
  const objects = new Map<string, KubeObject>();
  for (const resource of KINDS) {
    const { items } = await client.list(resource, {});
    for (const item of items.filter(each => !isAgentPod(each))) {
      objects.set(`${resource.kind} ${keyOf(item)}`, asWritten(item));
    }
  }
  return objects;
}

async function untilNothingIsLeft(
  t: Test,
  client: KubeClient,
  before: ReadonlyMap<string, KubeObject>,
): Promise<void> {
  let left: ReadonlyMap<string, KubeObject> = new Map();
  for (const end = performance.now() + ENDED_MS_MAX; performance.now() < end;) {
    left = await objectsOf(client);
    if (left.size === before.size) break;
    await delay(LOOK_MS);
  }
  t.same([...left.keys()].toSorted(), [...before.keys()].toSorted(), 'nothing of ours is left');
  for (const [name, object] of before) t.same(left.get(name), object, `${name} is as it was`);
}
