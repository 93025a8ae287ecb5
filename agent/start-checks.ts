// What has to be there before moves can work, looked at when the agent starts and again until it
// is: rights, Velero's resources, the kubelet's directory. Each problem is a sentence that says
// what to do; `/readyz` shows it and the log says it once.

import { readdir } from 'node:fs/promises';
import { isEngineError, messageOf, systemCodeOf } from '#engine/base/errors.ts';
import { mapBounded } from '#engine/base/map-bounded.ts';
import { NODES, PODS } from '#kube/core-resources.ts';
import type { DataMover } from '#agent/moves/exposed-moves.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import {
  type Permission,
  permissionsFor,
  permissionText,
  resourceAttributes,
  type Right,
  rightsOf,
} from './permissions.ts';

export interface StartCheck {
  readonly name: string;
  /** The agent works without what is missing; it is said all the same. */
  readonly isOptional?: boolean;
  /** What is missing; undefined when all is there. @throws KUBE_UNAVAILABLE, … */
  readonly look: (signal: AbortSignal) => Promise<string | undefined>;
}

export interface StartCheckParts {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly hostPods: string;
  readonly nodeName: string;
  readonly dataMover: DataMover;
}

interface AccessReview extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly allowed?: boolean };
}

/** The answer to a question; nothing is stored. */
const ACCESS_REVIEWS: Resource = Object.freeze({
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectaccessreviews',
  kind: 'SelfSubjectAccessReview',
  isNamespaced: false,
});
const VELERO_API = '/apis/velero.io/v1';
const VELERO_RESOURCES = [
  'podvolumebackups',
  'podvolumerestores',
  'backuprepositories',
  'backupstoragelocations',
];
/** Of one check, by connections that are kept: one by one, 18 verbs are as many round trips. */
const REVIEWS_AT_ONCE_MAX = 4;
/** In one message, which also goes into the probe's body. */
const MISSING_SHOWN_MAX = 5;

export function startChecks(parts: StartCheckParts): StartCheck[] {
  const all = permissionsFor(parts.dataMover);
  // What moves cannot do without, and what they can.
  const needed = all.filter(({ isOptional }) => isOptional !== true);
  const wanted = all.filter(({ isOptional }) => isOptional === true);
  return [
    { name: 'permissions', look: signal => missingPermissions(parts, needed, signal) },
    { name: 'velero', look: signal => missingResources(parts, signal) },
    { name: 'host-pods', look: () => unreadableDirectory(parts.hostPods) },
    { name: 'node', look: signal => unknownNode(parts, signal) },
    {
      name: 'optional-permissions',
      isOptional: true,
      look: signal => missingPermissions(parts, wanted, signal),
    },
  ];
}

export async function missingPermissions(
  { client, namespace }: Pick<StartCheckParts, 'client' | 'namespace'>,
  permissions: readonly Permission[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const asked = rightsOf(permissions);
  const bounds = { parallelism: REVIEWS_AT_ONCE_MAX, signal };
  const answers = await mapBounded(asked, bounds, (right, reviewSignal) =>
    isAllowed(client, right, namespace, reviewSignal),
  );
  const missing = asked
    .filter((_, index) => answers[index] !== true)
    .map(({ permission, verb }) => permissionText(permission, verb, namespace));
  if (missing.length === 0) return undefined;
  const shown = missing.slice(0, MISSING_SHOWN_MAX).join(', ');
  const more = missing.length - MISSING_SHOWN_MAX;
  const all = more > 0 ? `${shown} and ${more} more` : shown;
  return `the service account may not ${all}; add it to its roles`;
}

/** A server that does not answer such questions is taken to allow it; the requests will show. */
async function isAllowed(
  client: KubeClient,
  right: Right,
  namespace: string,
  signal: AbortSignal,
): Promise<boolean> {
  const review: AccessReview = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    // It has no name; the server asks for none.
    metadata: { name: '' },
    spec: { resourceAttributes: resourceAttributes(right, namespace) },
  };
  try {
    const { status } = await client.create<AccessReview>(ACCESS_REVIEWS, review, { signal });
    return status?.allowed !== false;
  } catch (error) {
    if (isEngineError(error, 'KUBE_NOT_FOUND', 'KUBE_FORBIDDEN')) return true;
    throw error;
  }
}

async function missingResources(
  { client }: StartCheckParts,
  signal: AbortSignal,
): Promise<string | undefined> {
  let names: string[];
  try {
    const { resources = [] } = await client.read<{ resources?: { name: string }[] }>(VELERO_API, {
      signal,
    });
    names = resources.map(({ name }) => name);
  } catch (error) {
    if (!isEngineError(error, 'KUBE_NOT_FOUND')) throw error;
    return 'the cluster has no resources of velero.io/v1; install Velero 1.16 or newer';
  }
  const missing = VELERO_RESOURCES.filter(name => !names.includes(name));
  if (missing.length === 0) return undefined;
  return `velero.io/v1 has no ${missing.join(', ')}; install the CRDs of Velero 1.16 or newer`;
}

/**
 * Under another name no move would ever be this agent's. Where there are pods there is a node, even
 * when its object has been deleted. Whoever may not ask takes the name as it is.
 */
async function unknownNode(
  { client, nodeName: name }: StartCheckParts,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await client.get(NODES, { name }, { signal });
    return undefined;
  } catch (error) {
    if (isEngineError(error, 'KUBE_FORBIDDEN')) return undefined;
    if (!isEngineError(error, 'KUBE_NOT_FOUND')) throw error;
    const query = { fieldSelector: `spec.nodeName=${name}` };
    if ((await client.list(PODS, query, { signal })).items.length > 0) return undefined;
    const how = 'set NODE_NAME from the field spec.nodeName of the pod, or give --node-name';
    return `the cluster has no node ${name}; ${how}`;
  }
}

async function unreadableDirectory(hostPods: string): Promise<string | undefined> {
  try {
    await readdir(hostPods);
    return undefined;
  } catch (error) {
    const how = `mount the kubelet's pods directory there, or set --host-pods`;
    const code = systemCodeOf(error);
    if (code === 'ENOENT') return `there is no ${hostPods}; ${how}`;
    return `${hostPods} cannot be read (${code ?? messageOf(error)}); ${how}`;
  }
}
