// DataDownload: a snapshot into a volume that is made for it, and given to the claim that waits.

import type { RestoreExposer, RestoreMove } from '#agent/exposer/restore-exposer.ts';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { ExposureSettings } from './exposure-settings.ts';
import {
  type DataMover,
  exposedMoveOf,
  heldVolume,
  isOrderFor,
  situationOfExposed,
  statusOfExposed,
} from './exposed-moves.ts';
import {
  countSetting,
  type MoveAdapter,
  type MoveSite,
  type MoveSuccess,
  type MoveWork,
} from './move-adapter.ts';
import { DATA_DOWNLOADS, type DataDownload } from './objects/data-download.ts';
import { DATA_MOVE_FINALIZER, LABELS } from './objects/well-known-names.ts';
import { successOfRestore } from './restore-end.ts';
import type { RepositoryName, RestoreOrder, RestoreResult } from './volume-mover.ts';

export interface DataDownloadParts {
  readonly exposer: Pick<RestoreExposer, 'expose' | 'withdraw' | 'isFilled' | 'rebind'>;
  readonly settings: ExposureSettings;
  readonly dataMover: DataMover;
  /** The backup may have been made in another cluster. */
  readonly ensureRepository: (name: RepositoryName, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  /** How long the claim may take to be bound to a volume that is filled. */
  readonly bindingMs: number;
}

const LOOK_MS = 250;

export function dataDownloads(parts: DataDownloadParts): MoveAdapter<DataDownload> {
  const { exposer, settings } = parts;
  const moveOf = (item: DataDownload) => restoreMoveOf(item, settings);
  return {
    resource: DATA_DOWNLOADS,
    shortName: 'data download',
    stockFinalizer: DATA_MOVE_FINALIZER,
    stockPodLabel: LABELS.dataDownload,
    // The server looks at the phase of each from time to time (Velero pkg/restore/actions/csi).
    isCanceledAlwaysCounted: true,
    isFrozen: false,
    afterInterruption: 'nothing of the volume is left; run the restore again',

    isForeign: item => !isOrderFor(parts.dataMover, item),

    situationOf: (item, site) => {
      const situation = situationOfExposed(item, site);
      // Its holder goes when the volume is handed over, which whoever takes it over goes on with.
      const isUnderWay = item.status?.phase === 'InProgress';
      return isUnderWay && situation.type === 'hopeless' ? { type: 'ready' } : situation;
    },

    statusAt: statusOfExposed,

    volumeOf: ({ spec }) => ({
      namespace: spec.targetVolume.namespace,
      claim: spec.targetVolume.pvc,
    }),

    run: (item, work) => download(item, work, parts),

    exposer: {
      expose: (item, signal) => exposer.expose(moveOf(item), signal),
      withdraw: (item, signal) => exposer.withdraw(moveOf(item), signal),
    },

    // Its agent has not handed the volume over, and so the claim has none.
    successOfStock: () => undefined,
  };
}

async function download(
  item: DataDownload,
  { mover, options, site }: MoveWork,
  parts: DataDownloadParts,
): Promise<MoveSuccess> {
  const move = restoreMoveOf(item, parts.settings);
  let result: RestoreResult | undefined;
  if (!(await parts.exposer.isFilled(move, options.signal))) {
    const order = downloadOrderOf(item, site);
    await parts.ensureRepository(order.repository, options.signal);
    result = await mover.restore(order, options);
  }
  await handOver(move, parts, options.signal);
  return successOf(item, result);
}

/** @throws CLAIM_NOT_BOUND, ABORTED, KUBE_… */
async function handOver(
  move: RestoreMove,
  { exposer, clock, bindingMs }: DataDownloadParts,
  signal: AbortSignal,
): Promise<void> {
  const endMs = clock.monotonic() + bindingMs;
  for (;;) {
    const rebinding = await exposer.rebind(move, signal);
    if (rebinding.type === 'rebound') return;
    if (rebinding.type === 'impossible') throw notBound(rebinding.message);
    if (clock.monotonic() > endMs) throw notBound(`${rebinding.missing} is missing`);
    await clock.sleep(LOOK_MS, signal);
  }
}

function notBound(why: string): EngineError {
  const text = `the volume was restored, and cannot be handed over: ${why}`;
  const advice = 'see the events of that claim; then delete it, and run the restore again';
  return new EngineError('CLAIM_NOT_BOUND', `${text}; ${advice}`);
}

function restoreMoveOf(item: DataDownload, settings: ExposureSettings): RestoreMove {
  const { spec } = item;
  return {
    ...exposedMoveOf(item, DATA_DOWNLOADS),
    targetNamespace: spec.targetVolume.namespace,
    targetClaim: spec.targetVolume.pvc,
    ignoresDelayedBinding: settings.ignoresDelayedBinding,
    holderOf: settings.restoreHolderOf,
  };
}

export function downloadOrderOf(item: DataDownload, site: MoveSite): RestoreOrder {
  const { spec, metadata } = item;
  return {
    repository: {
      volumeNamespace: spec.sourceNamespace,
      backupStorageLocation: spec.backupStorageLocation,
    },
    volume: heldVolume(item, site),
    snapshotId: spec.snapshotID,
    moveUid: metadata.uid ?? '',
    parallelFiles: countSetting(spec.dataMoverConfig, 'ParallelFilesDownload'),
  };
}

function successOf({ spec }: DataDownload, result: RestoreResult | undefined): MoveSuccess {
  if (result === undefined) return { status: {}, totalBytes: spec.snapshotSize ?? 0 };
  return successOfRestore(result);
}
