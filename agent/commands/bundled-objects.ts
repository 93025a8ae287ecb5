// What of an object goes into a bundle. Of those that are neither Velero's nor ours in Velero's
// namespace, values of ConfigMaps, variables, words of commands and annotations stay out: nobody
// who looks for a fault needs them, and nobody can know what in them is a secret.

import { isRecord } from '#engine/base/record.ts';
import type { KubeObject } from '#kube/kube-object.ts';

/** Programs of ours and of Velero's. */
const OURS = /^(?:velero|node-agent|stevedore)/;
/** Labels by which Velero finds ConfigMaps of its plugins, and charts mark what is theirs. */
const OUR_LABELS = /^velero\.io\/|^app\.kubernetes\.io\/(?:name|part-of)$/;
const OUR_NAMES = /stevedore|velero/;
const WITH_CONTAINERS = new Set(['Pod', 'DaemonSet', 'Deployment']);
/** Keys of a container, of metadata or of a ConfigMap whose texts are left out. */
const LEFT_OUT = new Set(['args', 'command', 'value', 'annotations', 'data', 'binaryData']);

export function isOurName(name: string): boolean {
  return OURS.test(name);
}

/** @param known names of the ConfigMaps that agents and the server are told to use */
export function bundledObject(object: KubeObject, known: ReadonlySet<string>): unknown {
  const { kind = '', metadata } = object;
  const isConfigMap = kind === 'ConfigMap';
  if (!isConfigMap && !WITH_CONTAINERS.has(kind)) return object;
  const isOurs = isConfigMap ? isOurConfigMap(object, known) : isOurName(metadata.name);
  return isOurs ? object : withoutValues(object);
}

function isOurConfigMap({ metadata }: KubeObject, known: ReadonlySet<string>): boolean {
  const { name, labels = {} } = metadata;
  if (known.has(name) || isOurName(name)) return true;
  return Object.entries(labels).some(
    ([key, value]) => OUR_LABELS.test(key) && (key.startsWith('velero') || OUR_NAMES.test(value)),
  );
}

/** Values of `--…-configmap` of whatever runs there. */
export function namedConfigMaps(objects: readonly KubeObject[]): ReadonlySet<string> {
  const found = new Set<string>();
  const text = JSON.stringify(objects);
  for (const [, name = ''] of text.matchAll(/--[a-z-]*config-?map(?:=|",")([a-z0-9.-]+)/g)) {
    found.add(name);
  }
  return found;
}

function withoutValues(value: unknown, isLeftOut = false): unknown {
  if (typeof value === 'string') {
    return isLeftOut ? `[not collected, ${Buffer.byteLength(value)} bytes]` : value;
  }
  if (Array.isArray(value)) return value.map(each => withoutValues(each, isLeftOut));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      withoutValues(each, isLeftOut || LEFT_OUT.has(key)),
    ]),
  );
}
