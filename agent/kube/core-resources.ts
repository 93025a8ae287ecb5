// Collections of Kubernetes itself that the agent reads. Velero's are in the rooms that read them.

import type { Resource } from './kube-object.ts';

const core = (plural: string, kind: string, isNamespaced = true): Resource =>
  Object.freeze({ group: '', version: 'v1', plural, kind, isNamespaced });

export const PODS = core('pods', 'Pod');
export const CLAIMS = core('persistentvolumeclaims', 'PersistentVolumeClaim');
export const SECRETS = core('secrets', 'Secret');
export const CONFIG_MAPS = core('configmaps', 'ConfigMap');
export const NAMESPACES = core('namespaces', 'Namespace', false);
export const NODES = core('nodes', 'Node', false);
export const PERSISTENT_VOLUMES = core('persistentvolumes', 'PersistentVolume', false);

export const DAEMON_SETS: Resource = Object.freeze({
  group: 'apps',
  version: 'v1',
  plural: 'daemonsets',
  kind: 'DaemonSet',
  isNamespaced: true,
});

export const DEPLOYMENTS: Resource = Object.freeze({
  ...DAEMON_SETS,
  plural: 'deployments',
  kind: 'Deployment',
});

export const STORAGE_CLASSES: Resource = Object.freeze({
  group: 'storage.k8s.io',
  version: 'v1',
  plural: 'storageclasses',
  kind: 'StorageClass',
  isNamespaced: false,
});
