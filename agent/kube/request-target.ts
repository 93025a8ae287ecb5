// What a request is about, as the path of a URL and in words.

import type { KubeQuery } from './kube-client.ts';
import type { ObjectName, Resource } from './kube-object.ts';

/** As RBAC names them. */
export type KubeVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export interface RequestTarget {
  readonly verb: KubeVerb;
  /** Absent for paths that are no collection, such as discovery. */
  readonly resource?: Resource;
  readonly namespace?: string;
  readonly name?: string;
  /** Where there is no resource. */
  readonly path?: string;
}

/** `podvolumebackups.velero.io`, `pods`: the name that RBAC and kubectl know it by. */
export function resourceName({ plural, group }: Resource): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** `replace podvolumebackups.velero.io velero/nginx-1` */
export function describeTarget({ verb, resource, namespace, name, path }: RequestTarget): string {
  if (resource === undefined) return `${verb} ${path ?? '/'}`;
  const what = `${verb} ${resourceName(resource)}`;
  if (name !== undefined) return `${what} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  if (!resource.isNamespaced) return what;
  return namespace === undefined
    ? `${what} in all namespaces`
    : `${what} in namespace ${namespace}`;
}

/** `/apis/velero.io/v1/namespaces/velero/podvolumebackups` */
export function collectionPath(resource: Resource, namespace: string | undefined): string {
  const { group, version, plural, isNamespaced } = resource;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const inside =
    isNamespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${inside}/${plural}`;
}

export function objectPath(resource: Resource, { namespace, name }: ObjectName): string {
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
}

/** The selectors of `query`, ready for more parameters. */
export function selectorParameters(query: KubeQuery): URLSearchParams {
  const parameters = new URLSearchParams();
  if (query.labelSelector !== undefined) parameters.set('labelSelector', query.labelSelector);
  if (query.fieldSelector !== undefined) parameters.set('fieldSelector', query.fieldSelector);
  return parameters;
}
