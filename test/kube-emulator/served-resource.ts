// The kinds that the emulator serves: those of Kubernetes that a node agent meets, and what
// CustomResourceDefinitions add.

import type { Resource } from '#kube/kube-object.ts';
import { isObject, valueAt, type StoredObject } from './json.ts';
import type { Schema } from './schema.ts';

export interface ServedResource extends Resource {
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** With `/status`: then a write of the object leaves its status, one of the status all else. */
  readonly hasStatus: boolean;
  /** Of a CustomResourceDefinition: objects are pruned, filled in and validated by `schema`. */
  readonly isCustom: boolean;
  readonly schema?: Schema;
  readonly selectableFields: readonly string[];
}

const META_FIELDS = ['metadata.name', 'metadata.namespace'];

/** [apiVersion, plural, kind, fields], of pkg/apis/<group>/v1/conversion.go in Kubernetes. */
type Row = readonly [string, string, string, (readonly string[])?];

const NAMESPACED: readonly Row[] = [
  [
    'v1',
    'pods',
    'Pod',
    [
      'spec.nodeName',
      'status.phase',
      'spec.restartPolicy',
      'spec.serviceAccountName',
      'status.podIP',
    ],
  ],
  ['v1', 'secrets', 'Secret', ['type']],
  ['v1', 'configmaps', 'ConfigMap'],
  [
    'v1',
    'events',
    'Event',
    [
      'involvedObject.kind',
      'involvedObject.namespace',
      'involvedObject.name',
      'involvedObject.uid',
      'reason',
      'type',
    ],
  ],
  ['v1', 'persistentvolumeclaims', 'PersistentVolumeClaim'],
  ['v1', 'serviceaccounts', 'ServiceAccount'],
  ['v1', 'services', 'Service'],
  ['apps/v1', 'daemonsets', 'DaemonSet'],
  ['apps/v1', 'deployments', 'Deployment'],
  ['batch/v1', 'jobs', 'Job', ['status.successful']],
  ['coordination.k8s.io/v1', 'leases', 'Lease'],
];

const CLUSTER_WIDE: readonly Row[] = [
  ['v1', 'namespaces', 'Namespace', ['status.phase']],
  ['v1', 'nodes', 'Node', ['spec.unschedulable']],
  ['v1', 'persistentvolumes', 'PersistentVolume'],
  ['storage.k8s.io/v1', 'storageclasses', 'StorageClass'],
  ['storage.k8s.io/v1', 'csidrivers', 'CSIDriver'],
  ['storage.k8s.io/v1', 'volumeattachments', 'VolumeAttachment'],
  ['scheduling.k8s.io/v1', 'priorityclasses', 'PriorityClass'],
  ['apiextensions.k8s.io/v1', 'customresourcedefinitions', 'CustomResourceDefinition'],
];

const WITH_STATUS = new Set(['Pod', 'Node', 'DaemonSet', 'Deployment', 'Job', 'Namespace']);

export const BUILT_IN: readonly ServedResource[] = [
  ...NAMESPACED.map(row => builtIn(row, true)),
  ...CLUSTER_WIDE.map(row => builtIn(row, false)),
];

export function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The resources of a CustomResourceDefinition, one for each version that is served. */
export function resourcesOfCrd(crd: StoredObject): ServedResource[] {
  const { spec } = crd;
  const versions = valueAt(spec, ['versions']);
  if (!Array.isArray(versions)) return [];
  return versions.filter(isObject).map(version => {
    const subresources = version.subresources;
    return {
      group: text(valueAt(spec, ['group'])),
      version: text(version.name),
      plural: text(valueAt(spec, ['names', 'plural'])),
      singular: text(valueAt(spec, ['names', 'singular'])),
      kind: text(valueAt(spec, ['names', 'kind'])),
      shortNames: texts(valueAt(spec, ['names', 'shortNames'])),
      isNamespaced: valueAt(spec, ['scope']) === 'Namespaced',
      hasStatus: isObject(subresources) && 'status' in subresources,
      isCustom: true,
      // The API server checks schemas when a CRD comes; the emulator takes them as they are.
      schema: valueAt(version, ['schema', 'openAPIV3Schema']) as Schema | undefined,
      selectableFields: [...META_FIELDS, ...selectable(version.selectableFields)],
    };
  });
}

function builtIn(
  [apiVersion, plural, kind, fields = []]: Row,
  isNamespaced: boolean,
): ServedResource {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return {
    group,
    version,
    plural,
    singular: kind.toLowerCase(),
    kind,
    shortNames: [],
    isNamespaced,
    hasStatus: WITH_STATUS.has(kind),
    isCustom: false,
    selectableFields: [...META_FIELDS, ...fields],
  };
}

function selectable(fields: unknown): string[] {
  if (!Array.isArray(fields)) return [];
  return fields.filter(isObject).map(field => text(field.jsonPath).replace(/^\./, ''));
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
