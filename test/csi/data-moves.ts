// A namespace with a tree and a device, moved away as snapshots by Velero, lost, and restored.

import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import type { ApiObject } from '#test/cluster/api-client.ts';
import { helmIsMissing } from '#test/charts/helm.ts';
import { isMissing } from '#test/cluster/cluster-programs.ts';
import { PAUSE_IMAGE } from '#test/cluster/node-settings.ts';
import type { SeededRandom } from '#test/support/random.ts';
import { type ListedEntry, treeListing } from '#test/support/tree-listing.ts';
import { type AgentKind, type Installation, VELERO_PROGRAMS } from '#test/velero/installation.ts';
import { pathOfMove, untilEnded } from '#test/velero/moves.ts';
import { differencesInFiles } from '#test/velero/round-trips.ts';
import { fillVolume } from '#test/velero/volume-content.ts';
import { CsiWorkload, sha256OfBytes, type CsiClaim } from './csi-workload.ts';
import type { Csi } from './csi.ts';
import type { Scenario, World } from './scenario.ts';
import { overwrite } from './snapshots.ts';
import { veleroIn } from './velero-here.ts';

const TREE: CsiClaim = { name: 'tree', mode: 'Filesystem', size: '128Mi' };
const DEVICE: CsiClaim = { name: 'device', mode: 'Block', size: '16Mi' };
const BOTH = [TREE, DEVICE] as const;
const DEVICE_BYTES = 16 << 20;
const MOVES = '/apis/velero.io/v2alpha1/namespaces/velero';
const TIDY_MS_MAX = 60_000;
const LOOK_MS = 100;
const DONE = { status: { phase: 'Completed' } };

interface Agents {
  readonly backup: AgentKind;
  readonly restore: AgentKind;
  readonly claims: readonly CsiClaim[];
}

const skip = isMissing(...VELERO_PROGRAMS) || helmIsMissing();

export const DATA_MOVES: readonly Scenario[] = [
  {
    title: 'Velero with its own agent moves snapshots of a tree and a device, and restores them',
    skip,
    play: (t, world) => moveAway(t, world, { backup: 'stock', restore: 'stock', claims: BOTH }),
  },
  {
    title: 'Velero with our agent moves snapshots of a tree and a device, and restores them',
    skip,
    play: (t, world) => moveAway(t, world, { backup: 'ours', restore: 'ours', claims: BOTH }),
  },
  {
    title: 'what our agent has moved the stock agent restores',
    skip,
    play: (t, world) => moveAway(t, world, { backup: 'ours', restore: 'stock', claims: BOTH }),
  },
  {
    title: 'what the stock agent has moved our agent restores',
    skip,
    play: (t, world) => moveAway(t, world, { backup: 'stock', restore: 'ours', claims: BOTH }),
  },
];

async function moveAway(
  t: Test,
  { cluster, csi, random }: World,
  { backup, restore, claims }: Agents,
): Promise<void> {
  const installation = await veleroIn(cluster);
  await useAgent(installation, backup);
  const name = `${backup}-to-${restore}`;
  const workload = new CsiWorkload(installation.client, name);
  await workload.start(claims);
  await Promise.all(claims.map(claim => fill(workload, claim, random)));
  const before = await contentsOf(workload, claims);
  const allDone = claims.map(() => 'Completed');

  const words = ['--include-namespaces', name, '--snapshot-move-data', '--wait'];
  await installation.velero('backup', 'create', name, ...words);
  const uploads = await movesOf(installation, 'backup', name);
  t.same(endings(uploads), allDone, 'all volumes are uploaded');
  t.match(await untilEnded(installation, pathOfMove('backups', name)), DONE);
  const described = await installation.velero('backup', 'describe', name, '--details');
  t.equal(described.match(/Result: succeeded/g)?.length, claims.length, 'as a user reads it');
  t.match(described, /Data Mover: velero\n.*Uploader Type: kopia\n.*data Size \(bytes\): [1-9]\d+/);
  await untilTidy(csi, claims.length);
  await workload.delete();
  t.same(csi.store.volumes, [], 'all volumes are lost');

  await useAgent(installation, restore);
  await installation.velero('restore', 'create', name, '--from-backup', name, '--wait');
  const downloads = await movesOf(installation, 'restore', name);
  t.same(endings(downloads), allDone, 'all volumes are downloaded');
  t.match(await untilEnded(installation, pathOfMove('restores', name)), DONE);
  await workload.untilRunning(claims);
  checkContents(t, before, await contentsOf(workload, claims));
  await untilTidy(csi, claims.length);
  t.same(await moverPods(installation), [], 'no pod of a mover is left');
  await workload.delete();
}

/** Ours as its chart installs it: with its rights alone. */
async function useAgent(installation: Installation, kind: AgentKind): Promise<void> {
  if (kind === 'stock') return installation.useAgent('stock');
  // Devices of the node are opened by privileged containers alone.
  const rights = ['containerSecurityContext.privileged', 'trustedAttributes', 'immutableFlags'];
  const values = rights.map(right => `nodeAgent.${right}=true`);
  await installation.useChart(`nodeAgent.holderImage=${PAUSE_IMAGE}`, ...values);
}

async function fill(workload: CsiWorkload, claim: CsiClaim, random: SeededRandom): Promise<void> {
  const path = await workload.volumePath(claim);
  if (claim.mode === 'Filesystem') return fillVolume(path, random);
  overwrite(path, random.bytes(3 << 20), 1 << 20);
  overwrite(path, random.bytes(1 << 20), DEVICE_BYTES - (1 << 20));
}

/** Of each claim: a listing of a tree, the hash of a device. */
type Contents = readonly (readonly ListedEntry[] | string)[];

function contentsOf(workload: CsiWorkload, claims: readonly CsiClaim[]): Promise<Contents> {
  return Promise.all(
    claims.map(async claim => {
      const path = await workload.volumePath(claim);
      return claim.mode === 'Filesystem' ? await treeListing(path) : await sha256OfBytes(path);
    }),
  );
}

function checkContents(t: Test, before: Contents, after: Contents): void {
  for (const [index, content] of before.entries()) {
    const found = after[index] ?? '';
    if (typeof content === 'string' || typeof found === 'string') {
      t.equal(found, content, 'the device has come back');
    } else t.same(differencesInFiles(t, content, found), [], 'the tree has come back');
  }
}

/** What is made for a move may go after it has ended. */
async function untilTidy({ store }: Csi, volumeCount: number): Promise<void> {
  for (const end = performance.now() + TIDY_MS_MAX; performance.now() < end;) {
    if (store.snapshots.length === 0 && store.volumes.length === volumeCount) return;
    await delay(LOOK_MS);
  }
  const left = JSON.stringify({ snapshots: store.snapshots, volumes: store.volumes });
  throw new Error(`there is more left than ${volumeCount} volumes: ${left}`);
}

function movesOf(
  { client }: Installation,
  of: 'backup' | 'restore',
  name: string,
): Promise<ApiObject[]> {
  const kind = of === 'backup' ? 'datauploads' : 'datadownloads';
  return client.list(`${MOVES}/${kind}?labelSelector=velero.io/${of}-name%3D${name}`);
}

/** Phases, with what is said of what went wrong. */
function endings(moves: readonly ApiObject[]): string[] {
  return moves.map(({ status }) => [status?.phase, status?.message].filter(Boolean).join(': '));
}

async function moverPods({ client }: Installation): Promise<string[]> {
  const pods = await client.list('/api/v1/namespaces/velero/pods');
  const isMover = ({ metadata }: ApiObject): boolean =>
    ['velero.io/data-upload', 'velero.io/data-download', 'stevedore.io/made-for'].some(
      label => metadata.labels?.[label] !== undefined,
    );
  return pods.filter(isMover).map(({ metadata }) => metadata.name);
}
