// The objects that are made to expose a snapshot, each of the name of its DataUpload. Pure.

import type { ObjectMeta, OwnerReference } from '#kube/kube-object.ts';
import type {
  HolderPod,
  NodeSelector,
  VolumeClaim,
  VolumeMode,
  VolumeSnapshot,
  VolumeSnapshotContent,
} from './exposed-objects.ts';

/** Of the move whose snapshot is exposed. */
export interface ExposedMove {
  readonly name: string;
  /** Velero's. */
  readonly namespace: string;
  readonly uid: string;
  readonly owner: OwnerReference;
}

/** What is made of the settings of a node-agent ConfigMap, for one storage class. */
export interface HolderSettings {
  /** A program that sleeps, as the pause container does; it is given no arguments. */
  readonly image: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly object[];
  /** On which nodes; all of them where it is not there. */
  readonly nodes?: NodeSelector;
  readonly resources?: object;
  readonly priorityClassName?: string;
  /** Type spc_t of SELinux, so that a volume that is only read need not be labelled anew. */
  readonly hasSuperPrivilegedType?: boolean;
}

export interface ClaimSettings {
  readonly storageClass: string;
  /** A quantity. */
  readonly size: string;
  readonly mode: VolumeMode;
  /** Shallow clones, where a driver has them. */
  readonly isReadOnly: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Ours, on all that was made; the value is the uid of the move. */
export const MADE_FOR = 'stevedore.io/made-for';
/** Which node's sidecar minds a content, where snapshots are distributed (external-snapshotter). */
const MANAGED_BY = 'snapshot.storage.kubernetes.io/managed-by';
/**
 * What a sidecar and the controller are at with a content: ours is neither made nor deleted, and
 * one that says it is being made is never deleted (external-snapshotter 8.7.0
 * pkg/sidecar-controller/snapshot_controller.go shouldDelete).
 */
const UNSETTLED: ReadonlySet<string> = new Set([
  'snapshot.storage.kubernetes.io/volumesnapshot-being-created',
  'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted',
]);
/** As stock calls the group, over which its movers and our holders spread. */
const GROUP = Object.freeze({ 'velero.io/exposer-pod-group': 'snapshot-exposer' });
/** Nobody of that number owns anything: the kubelet mounts, and the agent reads. */
const NOBODY = 65_535;
const MOUNT_PATH = '/volume';
/**
 * The least that is no forced deletion: with zero the pod is gone from the API at once, and so is
 * what protects its claim, while the kubelet still has the volume mounted (kubernetes
 * pkg/registry/core/pod/strategy.go CheckGracefulDelete).
 */
const GRACE_SECONDS = 1;

/**
 * It may be deleted at any time: nothing happens to the snapshot of the storage.
 * @param source of the same snapshot, with its handle
 */
export function makeContent(
  move: ExposedMove,
  source: VolumeSnapshotContent,
): VolumeSnapshotContent {
  const { driver, volumeSnapshotClassName, sourceVolumeMode } = source.spec;
  const managedBy = source.metadata.labels?.[MANAGED_BY];
  return {
    metadata: {
      name: move.name,
      // Secrets of the driver are named there.
      annotations: settled(source.metadata.annotations),
      labels: { ...marks(move), ...(managedBy === undefined ? {} : { [MANAGED_BY]: managedBy }) },
    },
    spec: {
      deletionPolicy: 'Retain',
      driver,
      source: { snapshotHandle: source.status?.snapshotHandle },
      sourceVolumeMode,
      volumeSnapshotClassName,
      volumeSnapshotRef: {
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshot',
        namespace: move.namespace,
        name: move.name,
      },
    },
  };
}

export function makeSnapshot(
  move: ExposedMove,
  { spec }: Pick<VolumeSnapshotContent, 'spec'>,
): VolumeSnapshot {
  return {
    // No owner: it has to outlive the claim that is made of it.
    metadata: { name: move.name, namespace: move.namespace, labels: marks(move) },
    spec: {
      source: { volumeSnapshotContentName: move.name },
      volumeSnapshotClassName: spec.volumeSnapshotClassName,
    },
  };
}

export function makeClaim(move: ExposedMove, settings: ClaimSettings): VolumeClaim {
  return {
    metadata: { ...owned(move), annotations: settings.annotations },
    spec: {
      accessModes: [settings.isReadOnly ? 'ReadOnlyMany' : 'ReadWriteOnce'],
      dataSource: {
        apiGroup: 'snapshot.storage.k8s.io',
        kind: 'VolumeSnapshot',
        name: move.name,
      },
      resources: { requests: { storage: settings.size } },
      storageClassName: settings.storageClass,
      volumeMode: settings.mode,
    },
  };
}

/** As the claim of the application, but for the selector that keeps others from making one. */
export function makeRestoreClaim(move: ExposedMove, { spec }: VolumeClaim): VolumeClaim {
  const { accessModes, resources, storageClassName, volumeMode } = spec;
  return {
    metadata: owned(move),
    spec: { accessModes, resources, storageClassName, volumeMode },
  };
}

/** Ours, on pods: those with the same value move together (docs/controller.md). */
const MOVE_GROUP = 'stevedore.io/group';

export interface HeldVolume {
  /** Of snapshots that were taken together. */
  readonly group?: string;
  readonly mode: VolumeMode;
  readonly isReadOnly: boolean;
  /** Where it can be mounted, or has to be. */
  readonly nodes?: NodeSelector;
}

/** Sleeps with the volume mounted, as the restricted Pod Security Standard asks of it. */
export function makeHolder(
  move: ExposedMove,
  { mode, isReadOnly, nodes, group }: HeldVolume,
  settings: HolderSettings,
): HolderPod {
  const volume = {
    name: move.uid,
    persistentVolumeClaim: { claimName: move.name, readOnly: isReadOnly },
  };
  const attachment =
    mode === 'Block'
      ? { volumeDevices: [{ name: move.uid, devicePath: MOUNT_PATH }] }
      : { volumeMounts: [{ name: move.uid, mountPath: MOUNT_PATH, readOnly: isReadOnly }] };
  const { labels, annotations } = settings;
  const meta = owned(move);
  return {
    metadata: {
      ...meta,
      annotations: group === undefined ? annotations : { ...annotations, [MOVE_GROUP]: group },
      labels: { ...labels, ...GROUP, ...meta.labels },
    },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: GRACE_SECONDS,
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      affinity: affinityTo(nodes, settings.nodes),
      tolerations: settings.tolerations,
      priorityClassName: settings.priorityClassName,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: NOBODY,
        runAsGroup: NOBODY,
        seccompProfile: { type: 'RuntimeDefault' },
        ...(settings.hasSuperPrivilegedType ? { seLinuxOptions: { type: 'spc_t' } } : {}),
      },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: GROUP },
        },
      ],
      containers: [
        {
          name: 'holder',
          image: settings.image,
          imagePullPolicy: 'IfNotPresent',
          resources: settings.resources,
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          ...attachment,
        },
      ],
      volumes: [volume],
    },
  };
}

export function theNode(name: string): NodeSelector {
  const isIt = { key: 'metadata.name', operator: 'In', values: [name] };
  return { nodeSelectorTerms: [{ matchFields: [isIt] }] };
}

/** Nodes that all of them allow: of each one term, with all that these say. */
function affinityTo(...selectors: readonly (NodeSelector | undefined)[]): object | undefined {
  const required = selectors
    .filter(selector => selector !== undefined)
    .reduce<NodeSelector | undefined>(
      (all, each) => (all === undefined ? each : bothOf(all, each)),
      undefined,
    );
  return required && { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
}

function bothOf(one: NodeSelector, other: NodeSelector): NodeSelector {
  const nodeSelectorTerms = one.nodeSelectorTerms.flatMap(first =>
    other.nodeSelectorTerms.map(second => ({
      matchExpressions: [...(first.matchExpressions ?? []), ...(second.matchExpressions ?? [])],
      matchFields: [...(first.matchFields ?? []), ...(second.matchFields ?? [])],
    })),
  );
  return { nodeSelectorTerms };
}

function settled(annotations: ObjectMeta['annotations']): ObjectMeta['annotations'] {
  const all = Object.entries(annotations ?? {});
  return Object.fromEntries(all.filter(([name]) => !UNSETTLED.has(name)));
}

function marks({ uid }: ExposedMove): Readonly<Record<string, string>> {
  return { [MADE_FOR]: uid };
}

function owned(move: ExposedMove): ObjectMeta {
  const { name, namespace, owner } = move;
  return { name, namespace, labels: marks(move), ownerReferences: [owner] };
}
