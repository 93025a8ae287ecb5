// Which resource a path of the API means, and which verb a request is for RBAC
// (k8s.io/apiserver pkg/endpoints/request/requestinfo.go).

import type { KubeVerb } from '#kube/request-target.ts';
import { ApiError } from './api-error.ts';
import type { ServedResource } from './served-resource.ts';

export interface RequestRoute {
  readonly resource: ServedResource;
  readonly verb: KubeVerb;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** Undefined where the path is of no resource that is served. */
export function routeOf(
  method: string,
  url: URL,
  resources: readonly ServedResource[],
): RequestRoute | undefined {
  const parts = url.pathname.split('/').slice(1).map(decodeURIComponent);
  const isCore = parts[0] === 'api';
  const [group, version] = isCore ? ['', parts[1]] : [parts[1], parts[2]];
  let rest = parts.slice(isCore ? 2 : 3);
  let namespace: string | undefined;
  // /namespaces/x is the namespace itself, and so is what can be done with it.
  const isInside = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status';
  if (isInside) {
    namespace = rest[1];
    rest = rest.slice(2);
  }
  const [plural, name, subresource] = rest;
  const resource = resources.find(
    served => served.group === group && served.version === version && served.plural === plural,
  );
  if (resource === undefined || (namespace !== undefined && !resource.isNamespaced))
    return undefined;
  if (subresource !== undefined && !(subresource === 'status' && resource.hasStatus)) {
    return undefined;
  }
  const isWatch = ['1', 'true'].includes(url.searchParams.get('watch') ?? '');
  const verb = verbOf(method, name !== undefined, isWatch);
  return { resource, verb, namespace, name, subresource };
}

function verbOf(method: string, hasName: boolean, isWatch: boolean): KubeVerb {
  switch (method) {
    case 'GET':
      return hasName ? 'get' : isWatch ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return 'delete';
    default:
      throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method');
  }
}
