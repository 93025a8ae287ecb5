// What the agent asks of the API server, verb by verb, with the reason. The Role and ClusterRole of
// charts/stevedore are compared with it by a test, and at its start the agent asks the server about
// each (SelfSubjectAccessReview), so that what is missing is named before a backup needs it.

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
}

export const PERMISSIONS: readonly Permission[] = Object.freeze([
  {
    group: 'velero.io',
    resource: 'podvolumebackups',
    verbs: ['get', 'list', 'watch', 'update'],
    isNamespaced: true,
    reason: 'the orders to back up, and their status',
  },
  {
    group: 'velero.io',
    resource: 'podvolumerestores',
    verbs: ['get', 'list', 'watch', 'update'],
    isNamespaced: true,
    reason: 'the orders to restore, and their status',
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
    reason: 'mover pods that a stock agent has left behind',
    isOptional: true,
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
