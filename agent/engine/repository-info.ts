// What `repo info` tells: the format of a repository and how much is in it. Never a key.

import { toHex } from '#engine/base/bytes.ts';
import type { MemoryPlan } from '#engine/base/memory-plan.ts';
import { isNativeAvailable } from '#engine/base/native.ts';
import type { OpenContents } from '#engine/content/open-contents.ts';
import { writeObstacle } from '#engine/content/repository-format.ts';
import {
  decodeMaintenanceParameters,
  MAINTENANCE_LABELS,
} from '#engine/format/maintenance-parameters.ts';
import type { ManifestReader } from '#engine/manifest/manifest-store.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';

export interface RepositoryInfo {
  readonly location: string;
  readonly uniqueId: string;
  readonly formatVersion: number;
  readonly indexVersion: number;
  readonly hash: string;
  readonly encryption: string;
  readonly splitter: string;
  readonly keyDerivation: string;
  /** `none`, or the algorithm with its overhead. */
  readonly errorCorrection: string;
  readonly packBytesMax: number;
  readonly hasEpochs: boolean;
  /** Who runs maintenance; '' for nobody. */
  readonly maintenanceOwner: string;
  readonly indexBlobs: number;
  /** Index entries; a content that several index blobs name counts once, save in recent ones. */
  readonly contents: number;
  readonly indexBytes: number;
  /** Why this program only reads it; '' when it writes as well. */
  readonly readOnlyReason: string;
  /** Whether hashing, sealing and system calls go through native code here. */
  readonly isNative: boolean;
  /** What the memory budget comes to. */
  readonly memory: MemoryPlan;
  readonly warnings: readonly string[];
}

export async function repositoryInfo(
  { format, storage, index, memory }: OpenContents<EngineTasks>,
  manifests: ManifestReader,
): Promise<RepositoryInfo> {
  const { config, blob } = format;
  const { view } = index;
  return {
    location: storage.displayName,
    uniqueId: toHex(blob.uniqueId),
    formatVersion: config.version,
    indexVersion: config.indexVersion,
    hash: config.hash,
    encryption: config.encryption,
    splitter: config.splitter,
    keyDerivation: blob.keyDerivation,
    errorCorrection: config.ecc === '' ? 'none' : `${config.ecc} ${config.eccOverheadPercent} %`,
    packBytesMax: config.maxPackBytes,
    hasEpochs: config.epochParameters.isEnabled,
    maintenanceOwner: await maintenanceOwner(manifests),
    indexBlobs: index.blobIds.size,
    contents: view.rowCount,
    indexBytes: view.tables.reduce((sum, { memory }) => sum + memory.totalBytes, 0),
    readOnlyReason: writeObstacle(config) ?? '',
    isNative: isNativeAvailable(),
    memory,
    warnings: format.warnings,
  };
}

async function maintenanceOwner(manifests: ManifestReader): Promise<string> {
  const latest = (await manifests.find(MAINTENANCE_LABELS)).at(-1);
  return latest ? decodeMaintenanceParameters(latest.data, latest.id).owner : '';
}
