// Objects of the API for whoever looks at what there is, does one step, and looks again: what is
// absent is undefined, what was made or deleted meanwhile is seen at the next look.

import { isEngineError } from '#engine/base/errors.ts';
import { PERSISTENT_VOLUMES } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, ObjectName, Resource } from '#kube/kube-object.ts';
import type { ExposedVolume, VolumeClaim } from './exposed-objects.ts';
import type { TakingAway } from './withdrawal.ts';

export class ClusterObjects {
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** @throws KUBE_FORBIDDEN, KUBE_UNAVAILABLE, …, as all of them */
  async get<Item extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    signal?: AbortSignal,
  ): Promise<Item | undefined> {
    try {
      return await this.#client.get<Item>(resource, name, { signal });
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  /** Those with that label, of all namespaces. */
  async labelled<Item extends KubeObject>(
    resource: Resource,
    { label, value }: { readonly label: string; readonly value: string },
    signal?: AbortSignal,
  ): Promise<readonly Item[]> {
    const query = { labelSelector: `${label}=${value}` };
    return (await this.#client.list<Item>(resource, query, { signal })).items;
  }

  async create(resource: Resource, object: KubeObject, signal?: AbortSignal): Promise<void> {
    try {
      await this.#client.create(resource, object, { signal });
    } catch (error) {
      if (!isEngineError(error, 'KUBE_EXISTS')) throw error;
    }
  }

  /** @param body a merge patch */
  async patch(
    resource: Resource,
    name: ObjectName,
    body: object,
    signal?: AbortSignal,
  ): Promise<void> {
    try {
      await this.#client.patch(resource, name, { type: 'merge', body }, { signal });
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
  }

  /** That one and no other of its name. */
  async delete(resource: Resource, { metadata }: KubeObject, signal?: AbortSignal): Promise<void> {
    const { name, namespace, uid } = metadata;
    try {
      await this.#client.delete(resource, { name, namespace }, { asRead: { name, uid }, signal });
    } catch (error) {
      if (!isAbsence(error) && !isEngineError(error, 'KUBE_CONFLICT')) throw error;
    }
  }

  async takeAway(step: TakingAway, signal?: AbortSignal): Promise<void> {
    if (step.type === 'delete') return this.delete(step.resource, step.object, signal);
    const { resource, name, spec } = step;
    return this.patch(resource, { name }, { spec }, signal);
  }

  async volumeOf(claim?: VolumeClaim, signal?: AbortSignal): Promise<ExposedVolume | undefined> {
    const name = claim?.spec.volumeName ?? '';
    if (name === '') return undefined;
    return this.get<ExposedVolume>(PERSISTENT_VOLUMES, { name }, signal);
  }
}

/** Without its CRD there is nothing of a kind. */
function isAbsence(error: unknown): boolean {
  return isEngineError(error, 'KUBE_NOT_FOUND', 'KUBE_KIND_UNKNOWN');
}
