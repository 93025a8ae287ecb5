// What is served, as the API tells it: plain and aggregated discovery, and as much OpenAPI as holds
// the schemas of custom resources (k8s.io/api apidiscovery/v2, kube-openapi handler3).

import type { JsonObject } from './json.ts';
import { apiVersionOf, type ServedResource } from './served-resource.ts';

export const AGGREGATED_DISCOVERY = 'g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

/** The document at `path`; undefined where there is none. */
export function discoveryDocument(
  path: string,
  resources: readonly ServedResource[],
  accept: string,
): JsonObject | undefined {
  const isAggregated = accept.replaceAll(' ', '').includes(AGGREGATED_DISCOVERY);
  const inGroup = resources.filter(({ group }) => (path === '/api') === (group === ''));
  if (path === '/api' || path === '/apis') {
    if (isAggregated) return aggregated(inGroup);
    return path === '/api' ? { kind: 'APIVersions', versions: ['v1'] } : groupList(inGroup);
  }
  if (path === '/version') return { major: '1', minor: '36', gitVersion: 'v1.36.0-emulator' };
  if (path === '/openapi/v3') return openApiRoot(resources);
  const openApi = /^\/openapi\/v3\/apis\/([^/]+)\/([^/]+)$/.exec(path);
  if (openApi !== null) return openApiOf(resources, openApi[1] ?? '', openApi[2] ?? '');
  const version = /^\/(?:api|apis\/([^/]+))\/([^/]+)$/.exec(path);
  return version === null ? undefined : resourceList(resources, version[1] ?? '', version[2] ?? '');
}

function aggregated(resources: readonly ServedResource[]): JsonObject {
  const groups = [...new Set(resources.map(({ group }) => group))];
  const items = groups.map(group => {
    const own = resources.filter(resource => resource.group === group);
    const versions = [...new Set(own.map(({ version }) => version))].map(version => ({
      version,
      freshness: 'Current',
      resources: own.filter(resource => resource.version === version).map(aggregatedResource),
    }));
    return { metadata: { name: group, creationTimestamp: null }, versions };
  });
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items,
  };
}

function aggregatedResource(resource: ServedResource): JsonObject {
  const { group, version, kind, plural, singular, isNamespaced, shortNames } = resource;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: isNamespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    shortNames,
    verbs: VERBS,
  };
}

function groupList(resources: readonly ServedResource[]): JsonObject {
  const names = [...new Set(resources.map(({ group }) => group))];
  const groups = names.map(name => {
    const own = resources.filter(({ group }) => group === name);
    const versions = [...new Set(own.map(apiVersionOf))].map(groupVersion => ({
      groupVersion,
      version: groupVersion.split('/').at(-1),
    }));
    return { name, versions, preferredVersion: versions[0] };
  });
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

function resourceList(
  resources: readonly ServedResource[],
  group: string,
  version: string,
): JsonObject | undefined {
  const own = resources.filter(
    resource => resource.group === group && resource.version === version,
  );
  const [first] = own;
  if (first === undefined) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(first),
    resources: own.map(({ plural, singular, kind, isNamespaced, shortNames }) => ({
      name: plural,
      singularName: singular,
      namespaced: isNamespaced,
      kind,
      shortNames,
      verbs: VERBS,
    })),
  };
}

function openApiRoot(resources: readonly ServedResource[]): JsonObject {
  const versions = [...new Set(resources.filter(({ isCustom }) => isCustom).map(apiVersionOf))];
  const paths = versions.map(version => [
    `apis/${version}`,
    { serverRelativeURL: `/openapi/v3/apis/${version}?hash=0` },
  ]);
  return { paths: Object.fromEntries(paths) as JsonObject };
}

function openApiOf(
  resources: readonly ServedResource[],
  group: string,
  version: string,
): JsonObject | undefined {
  const own = resources.filter(
    resource => resource.isCustom && resource.group === group && resource.version === version,
  );
  if (own.length === 0) return undefined;
  const reversed = group.split('.').reverse().join('.');
  const schemas = own.map(({ kind, schema }) => [
    `${reversed}.${version}.${kind}`,
    { ...schema, 'x-kubernetes-group-version-kind': [{ group, kind, version }] },
  ]);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' },
    components: { schemas: Object.fromEntries(schemas) as JsonObject },
  };
}
