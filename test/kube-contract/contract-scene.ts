// What the contract of an API server is tried in: a client, a namespace of its own, and a custom
// resource that has something of all that schemas can say.

import { isEngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';

export interface ContractServer {
  readonly client: KubeClient;
  /** A version from which no server watches any more. */
  readonly oldVersion: () => string;
  /** Has bookmarks sent where that can be asked for; a real server sends them when it likes. */
  readonly askForBookmarks: () => void;
}

export interface ContractScene extends ContractServer {
  readonly namespace: string;
}

export const WIDGETS: Resource = {
  group: 'contract.example.org',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  isNamespaced: true,
};

export const CONFIG_MAPS = core('configmaps', 'ConfigMap');
export const SECRETS = core('secrets', 'Secret');
export const EVENTS = core('events', 'Event');
export const PODS = core('pods', 'Pod');
const SERVICE_ACCOUNTS = core('serviceaccounts', 'ServiceAccount');
const NAMESPACES: Resource = { ...core('namespaces', 'Namespace'), isNamespaced: false };
const CRDS: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  isNamespaced: false,
};

export interface Widget extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation?: number };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** Makes the custom resource and the namespace; both stay. */
export async function contractScene(server: ContractServer): Promise<ContractScene> {
  const { client } = server;
  await ignoringExisting(client.create(CRDS, widgetCrd()));
  await established(client);
  const namespace = `contract-${Math.random().toString(36).slice(2, 8)}`;
  await client.create(NAMESPACES, { metadata: { name: namespace } });
  // The controller manager would make it; without it no pod is admitted.
  await ignoringExisting(
    client.create(SERVICE_ACCOUNTS, { metadata: { namespace, name: 'default' } }),
  );
  return { ...server, namespace };
}

export function widget(scene: ContractScene, name: string, more: object = {}): Widget {
  const { namespace } = scene;
  return { metadata: { namespace, name }, spec: { color: 'red' }, ...more };
}

export function configMap(scene: ContractScene, name: string, labels = {}): ConfigMap {
  const { namespace } = scene;
  return { metadata: { namespace, name, labels }, data: { key: 'value' } };
}

function core(plural: string, kind: string): Resource {
  return { group: '', version: 'v1', plural, kind, isNamespaced: true };
}

async function ignoringExisting(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!isEngineError(error, 'KUBE_EXISTS')) throw error;
  }
}

/** A new kind is served some time after its definition was taken. */
async function established(client: KubeClient): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await client.list(WIDGETS, {});
      return;
    } catch (error) {
      if (!isEngineError(error, 'KUBE_KIND_UNKNOWN') || attempt >= 100) throw error;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
}

function widgetCrd(): KubeObject {
  const text = { type: 'string' };
  const spec = {
    type: 'object',
    required: ['color'],
    properties: {
      color: { type: 'string', enum: ['red', 'green', ''] },
      size: { type: 'integer', format: 'int64', minimum: 0, default: 7 },
      note: { type: 'string', nullable: true },
      when: { type: 'string', format: 'date-time', nullable: true },
      tags: { type: 'object', additionalProperties: text },
      parts: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name'],
          properties: { name: text, count: { type: 'integer', default: 1 } },
        },
      },
      free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  };
  const status = { type: 'object', properties: { phase: text } };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec, status } } };
  const names = { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' };
  const version = { name: 'v1', served: true, storage: true, schema, subresources: {} };
  const crd = {
    metadata: { name: 'widgets.contract.example.org' },
    spec: { group: WIDGETS.group, scope: 'Namespaced', names, versions: [version] },
  };
  return crd;
}
