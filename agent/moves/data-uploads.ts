// DataUpload: a volume snapshot of CSI into a repository, through a volume that is made of it.

import type { SnapshotExposer, SnapshotMove } from '#agent/exposer/snapshot-exposer.ts';
import { forgetsUnreported, successOfBackup, successOfStockBackup } from './backup-end.ts';
import type { ExposureSettings } from './exposure-settings.ts';
import {
  type DataMover,
  exposedMoveOf,
  heldVolume,
  isOrderFor,
  situationOfExposed,
  statusOfExposed,
} from './exposed-moves.ts';
import { countSetting, type MoveAdapter, type MoveSite } from './move-adapter.ts';
import { DATA_UPLOADS, type DataUpload } from './objects/data-upload.ts';
import { DATA_MOVE_FINALIZER, LABELS } from './objects/well-known-names.ts';
import type { BackupOrder, RepositoryName } from './volume-mover.ts';

export interface DataUploadParts {
  readonly exposer: Pick<SnapshotExposer, 'expose' | 'withdraw'>;
  readonly settings: ExposureSettings;
  readonly dataMover: DataMover;
  /** Nobody has before the first move of a namespace. */
  readonly ensureRepository: (name: RepositoryName, signal: AbortSignal) => Promise<void>;
}

/** At its end where its volume was does not matter any more. */
const NOWHERE: MoveSite = Object.freeze({ nodeName: '', pods: new Map() });

export function dataUploads(parts: DataUploadParts): MoveAdapter<DataUpload> {
  const { exposer, settings } = parts;
  const moveOf = (item: DataUpload) => snapshotMoveOf(item, settings);
  return {
    resource: DATA_UPLOADS,
    shortName: 'data upload',
    stockFinalizer: DATA_MOVE_FINALIZER,
    stockPodLabel: LABELS.dataUpload,
    // The server looks at the phase of each from time to time (Velero pkg/backup/actions/csi).
    isCanceledAlwaysCounted: true,
    // It goes on as soon as the snapshot is taken.
    isFrozen: false,
    afterInterruption: 'run the backup again',

    isForeign: item => !isOrderFor(parts.dataMover, item),

    situationOf: (item, site) => {
      const situation = situationOfExposed(item, site);
      if (situation.type === 'elsewhere' || (item.spec.csiSnapshot ?? undefined)) return situation;
      const message = `it names no snapshot of CSI; its type is ${item.spec.snapshotType}`;
      return { type: 'hopeless', message };
    },

    statusAt: (phase, site) => ({
      ...statusOfExposed(phase, site),
      ...(phase === 'InProgress' ? { nodeOS: 'linux' } : {}),
    }),

    volumeOf: ({ spec }) => ({ namespace: spec.sourceNamespace, claim: spec.sourcePVC }),

    run: async (item, { mover, options, site }) => {
      const order = uploadOrderOf(item, site);
      await parts.ensureRepository(order.repository, options.signal);
      return successOfBackup(order, await mover.backup(order, options));
    },

    exposer: {
      expose: (item, signal) => exposer.expose(moveOf(item), signal),
      withdraw: (item, signal) => exposer.withdraw(moveOf(item), signal),
    },

    afterEnd: forgetsUnreported(item => uploadOrderOf(item, NOWHERE)),

    successOfStock: successOfStockBackup,
  };
}

function snapshotMoveOf(item: DataUpload, settings: ExposureSettings): SnapshotMove {
  const { metadata, spec } = item;
  const storageClass = spec.csiSnapshot?.storageClass ?? '';
  return {
    ...exposedMoveOf(item, DATA_UPLOADS),
    sourceNamespace: spec.sourceNamespace,
    sourceSnapshot: spec.csiSnapshot?.volumeSnapshot ?? '',
    sourceClaim: spec.sourcePVC,
    backupName: metadata.labels?.[LABELS.backupName] ?? '',
    holder: settings.holderOf(storageClass),
    claim: settings.claimOf(storageClass),
  };
}

export function uploadOrderOf(item: DataUpload, site: MoveSite): BackupOrder {
  const { spec, metadata } = item;
  const claimUid = metadata.labels?.[LABELS.claimUid];
  return {
    repository: {
      volumeNamespace: spec.sourceNamespace,
      backupStorageLocation: spec.backupStorageLocation,
    },
    volume: heldVolume(item, site),
    claim: claimUid === undefined ? undefined : { name: spec.sourcePVC, uid: claimUid },
    snapshotOf: { namespace: spec.sourceNamespace, claim: spec.sourcePVC },
    moveUid: metadata.uid ?? '',
    parallelFiles: countSetting(spec.dataMoverConfig, 'ParallelFilesUpload'),
  };
}
