// Checks about Velero itself: its version, its resources, what of it is used, and what runs.

import { isEngineError } from '#engine/base/errors.ts';
import { counted } from '#engine/cli/quantity.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import { CONFIG_MAPS, DEPLOYMENTS } from '#kube/core-resources.ts';
import { parseNodeAgentConfig } from '#agent/moves/node-agent-config.ts';
import { DATA_UPLOADS, type DataUpload } from '#agent/moves/objects/data-upload.ts';
import { veleroResource } from '#agent/moves/objects/move-object.ts';
import {
  POD_VOLUME_BACKUPS,
  type PodVolumeBackup,
} from '#agent/moves/objects/pod-volume-backup.ts';
import type { ReadingClient } from './cluster-verb.ts';
import { failure, fine, type Finding, warning } from './finding.ts';
import { type DaemonSet, flagOf, isOurs } from './installed-agents.ts';
import { listIfKnown } from './listed-moves.ts';

export interface VeleroParts {
  readonly kube: ReadingClient;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

interface Deployment extends KubeObject {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly {
          readonly name: string;
          readonly image?: string;
          readonly args?: readonly string[];
        }[];
      };
    };
  };
}

const BACKUPS = veleroResource('backups', 'Backup');
const RESTORES = veleroResource('restores', 'Restore');
/** Minor releases of 1 that are tested. */
const MINOR_MIN = 16;
const MINOR_MAX = 18;
const SUPPORTED = `1.${MINOR_MIN} to 1.${MINOR_MAX} are supported`;
/** Of a Backup or Restore (Velero pkg/apis/velero/v1/backup_types.go, restore_types.go). */
const RUNNING = new Set(['InProgress', 'WaitingForPluginOperations', 'Finalizing', 'Queued']);
const NAMES_SHOWN_MAX = 3;

/** By the tag of its image: asking the server itself would write an object. */
export async function checkVersion(parts: VeleroParts): Promise<readonly Finding[]> {
  const check = 'Velero server';
  const { kube, namespace, signal } = parts;
  let server: Deployment;
  try {
    server = await kube.get<Deployment>(DEPLOYMENTS, { namespace, name: 'velero' }, { signal });
  } catch (error) {
    if (!isEngineError(error, 'KUBE_NOT_FOUND')) throw error;
    const text = `there is no Deployment velero in namespace ${namespace}`;
    return [failure(check, text, `give Velero's namespace by -n, or install Velero; ${SUPPORTED}`)];
  }
  const { containers = [] } = server.spec?.template?.spec ?? {};
  const { image = '', args = [] } = containers.find(({ name }) => name === 'velero') ?? {};
  return [versionFinding(check, image), ...featureFindings(args)];
}

export function versionFinding(check: string, image: string): Finding {
  const [, major, minor] =
    /:v?(\d+)\.(\d+)(?:\.\d+)?[^/]*$/.exec(image.split('@', 1)[0] ?? '') ?? [];
  if (minor === undefined) {
    const advice = `see velero version; ${SUPPORTED}`;
    return warning(check, `the tag of ${image || 'its image'} tells no version`, advice);
  }
  const text = `version ${major}.${minor} (${image})`;
  if (major === '1' && Number(minor) < MINOR_MIN) {
    return failure(check, `${text} is too old`, `upgrade Velero; ${SUPPORTED}`);
  }
  if (major !== '1' || Number(minor) > MINOR_MAX) {
    return warning(check, `${text} is newer than what is tested`, `${SUPPORTED}; try it first`);
  }
  return fine(check, `${text}; ${SUPPORTED}`);
}

function featureFindings(args: readonly string[]): Finding[] {
  const uploader = args.find(word => word.startsWith('--uploader-type='))?.split('=')[1];
  if (uploader !== 'restic') return [];
  const advice = 'remove it, or set it to kopia; restic backups stay restorable by Velero alone';
  return [failure('uploader', 'the server orders backups by restic', advice)];
}

const NEEDED = ['podvolumebackups', 'podvolumerestores', 'backuprepositories'] as const;

export async function checkDefinitions({ kube, signal }: VeleroParts): Promise<readonly Finding[]> {
  const check = 'custom resources';
  const served = async (version: string): Promise<string[]> => {
    try {
      const path = `/apis/velero.io/${version}`;
      const body = await kube.read<{ resources?: { name: string }[] }>(path, { signal });
      return (body.resources ?? []).map(({ name }) => name).filter(name => !name.includes('/'));
    } catch (error) {
      if (isEngineError(error, 'KUBE_NOT_FOUND', 'KUBE_KIND_UNKNOWN')) return [];
      throw error;
    }
  };
  const [v1, v2alpha1] = await Promise.all([served('v1'), served('v2alpha1')]);
  const missing = [...NEEDED, 'backupstoragelocations'].filter(name => !v1.includes(name));
  const advice = `install the CRDs of Velero: velero install --crds-only`;
  if (missing.length > 0) {
    return [failure(check, `velero.io/v1 has no ${missing.join(', ')}`, advice)];
  }
  const data = v2alpha1.includes('datauploads') && v2alpha1.includes('datadownloads');
  if (!data) {
    const text = `velero.io/v1 serves ${v1.length} kinds, v2alpha1 no DataUploads`;
    return [warning(check, text, `only needed to move snapshots of CSI volumes; ${advice}`)];
  }
  return [fine(check, `velero.io/v1 serves ${v1.length} kinds, v2alpha1 ${v2alpha1.length}`)];
}

/** The ConfigMap of the agents: what of it has no effect with ours. */
export async function checkNodeAgentConfig(
  { kube, namespace, signal }: VeleroParts,
  agents: DaemonSet | undefined,
): Promise<readonly Finding[]> {
  const check = 'node-agent ConfigMap';
  const name = flagOf(agents?.spec?.template?.spec, 'node-agent-configmap');
  if (name === undefined) return [fine(check, 'none is named; one move runs at a time on a node')];
  let data: Readonly<Record<string, string>> | undefined;
  try {
    type ConfigMap = KubeObject & { readonly data?: typeof data };
    ({ data } = await kube.get<ConfigMap>(CONFIG_MAPS, { namespace, name }, { signal }));
  } catch (error) {
    if (!isEngineError(error, 'KUBE_NOT_FOUND')) throw error;
    return [failure(check, `${name} is not there`, 'make it, or remove --node-agent-configmap')];
  }
  const { config, notices, problems } = parseNodeAgentConfig(data);
  if (problems.length > 0) return problems.map(each => failure(check, each, `mend ${name}`));
  const told = notices.map(each => warning(check, each, 'nothing has to be done; know it'));
  const count = counted(config.globalConcurrency, 'move');
  return [...told, fine(check, `${name}: ${count} at once, ${config.rules.length} rules`)];
}

/** Moves that are not ours to make. */
export async function checkMovers(parts: VeleroParts): Promise<readonly Finding[]> {
  const { kube, namespace, signal } = parts;
  const [uploads, backups] = await Promise.all([
    listIfKnown<DataUpload>(kube, DATA_UPLOADS, namespace, signal),
    listIfKnown<PodVolumeBackup>(kube, POD_VOLUME_BACKUPS, namespace, signal),
  ]);
  const findings: Finding[] = [];
  const others = new Set(
    uploads
      .map(({ spec }) => spec.datamover ?? '')
      .filter(mover => mover !== '' && mover !== 'velero'),
  );
  if (uploads.length > 0) {
    const text = `snapshots of CSI volumes are moved (${counted(uploads.length, 'DataUpload')})`;
    findings.push(fine('CSI data movement', text));
  }
  if (others.size > 0) {
    const text = `DataUploads of ${[...others].toSorted().join(', ')} are there`;
    findings.push(warning('other data movers', text, 'they stay theirs; keep that mover running'));
  }
  const restic = backups.filter(({ spec }) => spec.uploaderType === 'restic').length;
  if (restic > 0) {
    const text = `${counted(restic, 'PodVolumeBackup')} by restic`;
    const advice = "to restore these use Velero's own agent; new backups are by kopia";
    findings.push(warning('restic backups', text, advice));
  }
  return findings;
}

export async function checkRunning(parts: VeleroParts): Promise<readonly Finding[]> {
  const { kube, namespace, signal } = parts;
  type Run = KubeObject & { readonly status?: { readonly phase?: string } };
  const lists = await Promise.all(
    [BACKUPS, RESTORES].map(resource => listIfKnown<Run>(kube, resource, namespace, signal)),
  );
  const names = lists.flatMap((objects, index) =>
    objects
      .filter(({ status }) => RUNNING.has(status?.phase ?? ''))
      .map(({ metadata }) => `${index === 0 ? 'backup' : 'restore'} ${metadata.name}`),
  );
  if (names.length === 0) return [fine('running now', 'no backup and no restore')];
  const more = names.length - NAMES_SHOWN_MAX;
  const shown = names.slice(0, NAMES_SHOWN_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
  const advice = 'wait for them: an agent that is replaced ends its moves, or hands them on';
  return [warning('running now', shown, advice)];
}

export function checkAgents(agents: readonly DaemonSet[], namespace: string): readonly Finding[] {
  if (agents.length > 0) return agents.flatMap(each => checkAgentsOf(each, namespace));
  const advice = 'install charts/stevedore; backups of volumes of pods wait for it';
  const text = `there is no DaemonSet node-agent in namespace ${namespace}`;
  return [warning('node agents', text, advice)];
}

function checkAgentsOf(agents: DaemonSet, namespace: string): readonly Finding[] {
  const check = 'node agents';
  const { name } = agents.metadata;
  const { desiredNumberScheduled: wanted = 0, numberReady: ready = 0 } = agents.status ?? {};
  const whose = isOurs(agents.spec?.template?.spec) ? 'Stevedore' : "Velero's own";
  const text = `${name} is ${whose}, ${ready} of ${wanted} ready`;
  if (wanted === 0) {
    const advice = `look at nodeSelector and tolerations of DaemonSet ${namespace}/${name}`;
    return [warning(check, `${name} is ${whose}, and wanted on no node`, advice)];
  }
  if (ready >= wanted) return [fine(check, text)];
  const advice = `kubectl -n ${namespace} get pods -l role=${name}`;
  return [warning(check, text, advice)];
}
