// Which snapshot holds a volume of a backup: by the name of the backup, and of the volume as people
// know it, `NAMESPACE/POD/VOLUME`, or `NAMESPACE/CLAIM` where a snapshot of it was moved.

import { EngineError } from '#engine/base/errors.ts';
import { usageError } from '#engine/cli/option-values.ts';
import { LABELS } from '#agent/moves/objects/well-known-names.ts';
import { labelValue } from '#agent/moves/objects/label-value.ts';
import type { ListedMove } from './listed-moves.ts';

export interface VolumePath {
  readonly namespace: string;
  /** `POD/VOLUME`, or the claim. */
  readonly volume: string;
  /** Within it; empty for all of it. */
  readonly path: string;
}

export interface BackedUpVolume {
  readonly snapshotId: string;
  readonly namespace: string;
  readonly location: string;
}

const VOLUMES_SHOWN_MAX = 10;

/** `shop/db-0/data:/etc` @throws USAGE */
export function parseVolumePath(text: string): VolumePath {
  const [, namespace = '', volume = '', path = ''] =
    /^([^/:]+)\/([^/:]+(?:\/[^/:]+)?)(?::(.*))?$/s.exec(text) ?? [];
  if (namespace === '') {
    const forms = 'NAMESPACE/POD/VOLUME or NAMESPACE/CLAIM, and :/PATH behind it for a part';
    throw usageError(`'${text}' names no volume; give ${forms}`);
  }
  if (path.split('/').includes('..')) {
    throw usageError(`'${text}' leaves the volume; a path within it has no '..'`);
  }
  return { namespace, volume, path };
}

/** @throws BACKUP_VOLUME_NOT_FOUND, naming what there is */
export function snapshotOf(
  moves: readonly ListedMove[],
  backup: string,
  { namespace, volume }: VolumePath,
): BackedUpVolume {
  const name = labelValue(backup);
  const ofBackup = moves.filter(
    ({ kind, owner }) => (kind === 'pvb' || kind === 'du') && owner === name,
  );
  const what = `backup ${backup}`;
  if (ofBackup.length === 0) {
    const how = `no PodVolumeBackup or DataUpload has the label ${LABELS.backupName}=${name}`;
    throw notFound(`cannot find volumes of ${what}: ${how}; see velero backup get`);
  }
  const asked = ofBackup.filter(move => move.namespace === namespace && move.volume === volume);
  const done = asked.find(
    ({ phase, snapshotId = '' }) => phase === 'Completed' && snapshotId !== '',
  );
  if (done?.snapshotId !== undefined) {
    return { snapshotId: done.snapshotId, namespace, location: done.location };
  }
  const [bad] = asked;
  if (bad !== undefined) {
    const state = bad.phase === 'Completed' ? 'has no snapshot: it was empty' : `is ${bad.phase}`;
    const why = `see kubectl stevedore why ${bad.kind}/${bad.name}`;
    throw notFound(`volume ${namespace}/${volume} of ${what} ${state}; ${why}`);
  }
  const names = ofBackup.map(move => `${move.namespace}/${move.volume}`).toSorted();
  const more = names.length - VOLUMES_SHOWN_MAX;
  const shown =
    names.slice(0, VOLUMES_SHOWN_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
  throw notFound(`${what} has no volume ${namespace}/${volume}; it has ${shown}`);
}

function notFound(message: string): EngineError {
  return new EngineError('BACKUP_VOLUME_NOT_FOUND', message);
}
