// The kinds of moves that any agent may accept: volume snapshots into a repository, and back.

import { isEngineError } from '#engine/base/errors.ts';
import { RestoreExposer } from '#agent/exposer/restore-exposer.ts';
import { SnapshotExposer } from '#agent/exposer/snapshot-exposer.ts';
import { dataDownloads } from '#agent/moves/data-downloads.ts';
import { dataUploads } from '#agent/moves/data-uploads.ts';
import { exposureSettings } from '#agent/moves/exposure-settings.ts';
import type { RepositoryName } from '#agent/moves/volume-mover.ts';
import { ensureRepository } from '#agent/repositories/ready-repository.ts';
import type { ObjectKey } from '#kube/kube-object.ts';
import { AcceptLimit } from './accept-limit.ts';
import type { MoveKind } from './metrics.ts';
import { holderTolerations } from './holder-tolerations.ts';
import { type Kind, type KindParts, makeKind } from './move-kind.ts';
import type { NodeSettings } from './read-node-settings.ts';

/** None where Velero's CRDs do not have them. @throws KUBE_…, ABORTED */
export async function makeDataMoves(
  parts: KindParts & { readonly node: NodeSettings },
): Promise<Kind[]> {
  const { client, clock, config, log, node, slots } = parts;
  const { namespace, resourceTimeout: bindingMs } = config;
  const daemonSet = { namespace, name: config.daemonSet };
  const tolerations = await holderTolerations(client, daemonSet, parts.signal);
  const settings = exposureSettings(node.exposure, config.holderImage, tolerations);
  const shared = {
    settings,
    dataMover: config.dataMover,
    ensureRepository: (name: RepositoryName, signal: AbortSignal) =>
      ensureRepository({ kube: client, namespace }, name, signal),
  };
  const uploads = dataUploads({ ...shared, exposer: new SnapshotExposer(client) });
  const exposer = new RestoreExposer(client);
  const downloads = dataDownloads({ ...shared, exposer, clock, bindingMs });
  const kinds: Kind[] = [];
  // One that waits with its volume mounted for each that is under way: more only cost volumes.
  const { prepareQueueLength: allMax = Infinity } = node;
  const { nodeName } = config;
  const limit = new AcceptLimit(kinds, { nodeName, ownMax: () => slots.count, allMax });
  const limited = (kind: MoveKind) => ({
    mayAccept: (key: ObjectKey) => limit.mayAccept(kind, key),
  });
  try {
    kinds.push(await makeKind('DataUpload', uploads, parts, limited('DataUpload')));
    kinds.push(await makeKind('DataDownload', downloads, parts, limited('DataDownload')));
  } catch (error) {
    if (!isEngineError(error, 'KUBE_NOT_FOUND')) throw error;
    log.warn({ error }, 'volume snapshots are not moved: their CRD is not there');
  }
  return kinds;
}
