// Each right that the chart gives to the controller is taken away once, on a real API server. It
// has to be named in the log and in `/readyz`, and everything that does not need it has to go on.
// What nobody misses should not be granted. The rights are read from the chart, so a new one is
// tried too.

import t from 'tap';
import { mapBounded } from '#engine/base/map-bounded.ts';
import { helmIsMissing } from '#test/charts/helm.ts';
import { isMissing } from '#test/cluster/cluster-programs.ts';
import {
  type ControlPlane,
  controlPlaneIsMissing,
  startControlPlane,
} from '#test/cluster/control-plane.ts';
import { applyVeleroCrds } from '#test/cluster/velero-crds.ts';
import {
  CONTROLLER_CONFIGURATIONS,
  type ControllerConfiguration,
  rolesIn,
} from './rights-configurations.ts';
import { type Right, rightText, untriedRights } from './rights-of-chart.ts';
import { type Effect, EFFECTS, RightsScene, STUCK_EFFECTS } from './rights-scene.ts';

/** What is not to be had without a right; the first row that fits counts, nothing without one. */
const LOSSES: readonly (readonly [RegExp, readonly Effect[]])[] = [
  [/ leases/, EFFECTS],
  [/^create tokenreviews/, ['agent', 'overview']],
  [/^create subjectaccessreviews/, ['overview']],
  [/^list pods in/, STUCK_EFFECTS],
  [/^get nodes/, ['backup', 'restore', 'upload', 'download', 'event']],
  [/^get pods$/, ['restore']],
  [/^(get|list) podvolumebackups/, ['backup', 'left-pod']],
  [/^update podvolumebackups/, ['backup']],
  [/^(get|list|update) podvolumerestores/, ['restore']],
  [/^(get|list) datauploads/, ['upload', 'left-claim']],
  [/^update datauploads/, ['upload']],
  [/^(get|list|update) datadownloads/, ['download']],
  [/^create events in/, ['event']],
  [/^delete pods in/, ['left-pod']],
  [/^(list|delete) persistentvolumeclaims in/, ['left-claim']],
  [/^create events$/, ['pre-copy']],
  [/^list pods$/, ['annotation', 'pre-copy']],
  [/^list (schedules|backupstoragelocations)/, ['pre-copy']],
  [/^(patch pods|list persistentvolume)/, ['annotation']],
];

/** API servers before 1.30 do not say the node of a token, so the pod of the token is looked at. */
const FOR_OLDER_SERVERS = ['get pods in velero'];

t.test(
  'the controller names each right that it lacks and goes on, and has none that it does not need',
  {
    skip: controlPlaneIsMissing() || helmIsMissing() || isMissing('velero-crds'),
    timeout: 500_000,
  },
  async t => {
    await using plane = await startControlPlane();
    await applyVeleroCrds(plane.client, 'v1.18.1');
    const node = { apiVersion: 'v1', kind: 'Node' };
    for (const name of ['worker-1', 'worker-2']) {
      await plane.client.create({ ...node, metadata: { name } });
    }
    const unmissed: string[] = [];
    const tried = new Set<string>();
    for (const [turn, configuration] of CONTROLLER_CONFIGURATIONS.entries()) {
      const untried = untriedRights(rolesIn(configuration), tried);
      const rows = [undefined, ...untried].entries();
      await mapBounded(rows, { parallelism: configuration.scenesAtOnce }, async ([row, right]) => {
        const index = turn * 100 + row;
        const failure = await play(plane, configuration, { index, right }).then(
          () => undefined,
          (error: unknown) => error,
        );
        const text = right ? rightText(right, 'velero') : 'nothing';
        if (failure instanceof Unmissed) unmissed.push(text);
        else t.equal(failure, undefined, `${configuration.name}: ${text} is missing`);
      });
    }
    t.strictSame(unmissed, FOR_OLDER_SERVERS, 'nothing else is granted that nobody misses');
  },
);

class Unmissed extends Error {}

interface Row {
  readonly index: number;
  /** Taken away; undefined: none is. */
  readonly right: Right | undefined;
}

async function play(
  plane: ControlPlane,
  { values, effects }: ControllerConfiguration,
  { index, right }: Row,
): Promise<void> {
  await using scene = await RightsScene.open(plane, { index, values, without: right });
  const text = right && rightText(right, scene.namespace);
  const loss = text === undefined ? [] : (LOSSES.find(([fits]) => fits.test(text))?.[1] ?? []);
  const kept = effects.filter(effect => !loss.includes(effect));
  await Promise.all(kept.map(effect => scene.until(effect)));
  if (text === undefined) {
    const missing = scene.missing();
    if (missing.length > 0) throw new Error(`it misses ${missing.join(', ')}`);
    return;
  }
  await scene.untilMissing(text, loss).catch((error: unknown) => {
    throw new Unmissed(`nobody misses ${text}`, { cause: error });
  });
  const readiness = await scene.readiness();
  if (!readiness.includes(`[+] ${text}: ready without, but cannot `)) throw new Error(readiness);
  if (!readiness.includes('give the service account this verb')) throw new Error(readiness);
}
