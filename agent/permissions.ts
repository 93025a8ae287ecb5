// What the agent asks of the API server, verb by verb, with the reason. The Role and ClusterRole of
// charts/stevedore are compared with it by a test, and at its start the agent asks the server about
// each (SelfSubjectAccessReview), so that what is missing is named before a backup needs it.

import type { DataMover } from '#agent/moves/exposed-moves.ts';
import type { RequestTarget } from '#kube/request-target.ts';

export interface Permission {
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  /** Only in Velero's namespace. */
  readonly isNamespaced: boolean;
  readonly reason: string;
  /** The agent works without it; what is lost is in the reason. */
  readonly isOptional?: boolean;
  /** Used where snapshots of CSI volumes are moved alone. */
  readonly isForSnapshots?: boolean;
  /** Used for volumes of pods alone, which are not ours beside Velero's own agent. */
  readonly isForPodVolumes?: boolean;
}

export const PERMISSIONS: readonly Permission[] = Object.freeze([
  {
    group: 'velero.io',
    resource: 'podvolumebackups',
    verbs: ['get', 'list', 'watch', 'update'],
    isNamespaced: true,
    reason: 'the orders to back up, and their status',
    isForPodVolumes: true,
  },
  {
    group: 'velero.io',
    resource: 'podvolumerestores',
    verbs: ['get', 'list', 'watch', 'update'],
    isNamespaced: true,
    reason: 'the orders to restore, and their status',
    isForPodVolumes: true,
  },
  {
    group: 'velero.io',
    resource: 'datauploads',
    verbs: ['get', 'list', 'watch', 'update'],
    isNamespaced: true,
    reason: 'the orders to move volume snapshots, and their status',
    isForSnapshots: true,
  },
  {
    group: 'velero.io',
    resource: 'datadownloads',
    verbs: ['get', 'list', 'watch', 'update'],
    isNamespaced: true,
    reason: 'the orders to restore what was moved so, and their status',
    isForSnapshots: true,
  },
  {
    group: 'velero.io',
    resource: 'backuprepositories',
    verbs: ['list', 'watch'],
    isNamespaced: true,
    reason: 'whether a repository is ready, and when it is gone',
  },
  {
    group: 'velero.io',
    resource: 'backuprepositories',
    verbs: ['create'],
    isNamespaced: true,
    reason: 'the repository for the first snapshot of a namespace that is moved',
    isOptional: true,
    isForSnapshots: true,
  },
  {
    group: 'velero.io',
    resource: 'backupstoragelocations',
    verbs: ['get'],
    isNamespaced: true,
    reason: 'where a repository is',
  },
  {
    group: 'velero.io',
    resource: 'serverstatusrequests',
    verbs: ['create', 'get', 'delete'],
    isNamespaced: true,
    reason: "the server's version decides whether it may be told that a backup was canceled",
    isOptional: true,
    isForPodVolumes: true,
  },
  {
    group: '',
    resource: 'secrets',
    verbs: ['get'],
    isNamespaced: true,
    reason: 'the password of the repositories, and credentials of storage locations',
  },
  {
    group: '',
    resource: 'configmaps',
    verbs: ['get'],
    isNamespaced: true,
    reason: 'the ConfigMap of --node-agent-configmap',
  },
  {
    group: '',
    resource: 'pods',
    verbs: ['delete'],
    isNamespaced: true,
    reason: 'mover pods that a stock agent has left behind, and those that held a volume',
    isOptional: true,
  },
  {
    group: '',
    resource: 'pods',
    verbs: ['create'],
    isNamespaced: true,
    reason: 'pods that hold volumes made of snapshots',
    isOptional: true,
    isForSnapshots: true,
  },
  {
    group: '',
    resource: 'persistentvolumeclaims',
    verbs: ['create', 'delete'],
    isNamespaced: true,
    reason: 'claims for volumes made of snapshots, and for those that are restored',
    isOptional: true,
    isForSnapshots: true,
  },
  {
    group: 'snapshot.storage.k8s.io',
    resource: 'volumesnapshots',
    verbs: ['create'],
    isNamespaced: true,
    reason: 'a snapshot of the application, seen from here',
    isOptional: true,
    isForSnapshots: true,
  },
  {
    group: '',
    resource: 'events',
    verbs: ['create'],
    isNamespaced: true,
    reason: 'what a user has to know about a move beside its status',
    isOptional: true,
  },
  {
    group: 'apps',
    resource: 'daemonsets',
    verbs: ['get'],
    isNamespaced: true,
    reason: 'whether an agent of ours follows when this one is stopped',
    isOptional: true,
  },
  {
    group: '',
    resource: 'pods',
    verbs: ['get', 'list', 'watch'],
    isNamespaced: false,
    reason: 'the pods of this node, and which volumes they have',
  },
  {
    group: '',
    resource: 'persistentvolumeclaims',
    verbs: ['get'],
    isNamespaced: false,
    reason: 'the volume behind a claim, and its class for limits of the controller',
  },
  {
    group: '',
    resource: 'persistentvolumes',
    verbs: ['get'],
    isNamespaced: false,
    reason: 'by which plugin a volume is mounted',
  },
  {
    group: '',
    resource: 'persistentvolumeclaims',
    verbs: ['patch'],
    isNamespaced: false,
    reason: 'the claim of an application gets the volume that was restored for it',
    isOptional: true,
    isForSnapshots: true,
  },
  {
    group: '',
    resource: 'persistentvolumes',
    verbs: ['list', 'patch'],
    isNamespaced: false,
    reason: 'the volume that was restored goes to the claim of the application',
    isOptional: true,
    isForSnapshots: true,
  },
  {
    group: 'snapshot.storage.k8s.io',
    resource: 'volumesnapshots',
    verbs: ['get', 'delete'],
    isNamespaced: false,
    reason: 'the snapshot of the application, which goes when it is moved',
    isOptional: true,
    isForSnapshots: true,
  },
  {
    group: 'snapshot.storage.k8s.io',
    resource: 'volumesnapshotcontents',
    verbs: ['get', 'create', 'patch', 'delete'],
    isNamespaced: false,
    reason: 'what it is on the storage: a second one for us, and the policy of the first',
    isOptional: true,
    isForSnapshots: true,
  },
  {
    group: 'storage.k8s.io',
    resource: 'storageclasses',
    verbs: ['get'],
    isNamespaced: false,
    reason: 'whether a volume to be restored waits for a pod of the application',
    isOptional: true,
    isForSnapshots: true,
  },
  {
    group: '',
    resource: 'nodes',
    verbs: ['get'],
    isNamespaced: false,
    reason: 'whether there is a node of this name, and its labels for loadConcurrency',
    isOptional: true,
  },
  {
    group: 'apiextensions.k8s.io',
    resource: 'customresourcedefinitions',
    verbs: ['get'],
    isNamespaced: false,
    reason: 'which phases the installed version of Velero knows',
    isOptional: true,
  },
]);

/** What it has to ask for, as whose data mover it runs. */
export function permissionsFor(dataMover: DataMover): readonly Permission[] {
  return PERMISSIONS.filter(({ isForPodVolumes }) => dataMover === 'velero' || !isForPodVolumes);
}

export interface Right {
  readonly permission: Permission;
  readonly verb: string;
}

/** Verb by verb, as an access review asks. */
export function rightsOf(permissions: readonly Permission[]): Right[] {
  return permissions.flatMap(permission => permission.verbs.map(verb => ({ permission, verb })));
}

/** For `spec` of an access review (authorization.k8s.io/v1). */
export function resourceAttributes({ permission, verb }: Right, namespace: string): object {
  const { group, resource, isNamespaced } = permission;
  return { group, resource, verb, ...(isNamespaced ? { namespace } : {}) };
}

/** Whether the agent works without what it has asked for. */
export function isOptionalRight({ verb, resource }: RequestTarget): boolean {
  return PERMISSIONS.some(
    each =>
      each.isOptional === true &&
      each.resource === resource?.plural &&
      each.group === resource.group &&
      each.verbs.includes(verb),
  );
}

/** `list podvolumebackups.velero.io in velero` */
export function permissionText(
  { group, resource, isNamespaced }: Permission,
  verb: string,
  namespace: string,
): string {
  const name = group === '' ? resource : `${resource}.${group}`;
  return `${verb} ${name}${isNamespaced ? ` in ${namespace}` : ''}`;
}
