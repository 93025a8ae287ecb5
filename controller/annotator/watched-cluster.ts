// Pods, claims and persistent volumes of the whole cluster, each listed once and followed from
// there on. Tells which pods have to be looked at again.

import type { Clock } from '#engine/base/clock.ts';
import { CLAIMS, PERSISTENT_VOLUMES, PODS } from '#kube/core-resources.ts';
import { Informer } from '#kube/informer.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { keyOf, type ObjectKey } from '#kube/kube-object.ts';
import type { ClaimLookup } from './volume-claim.ts';
import {
  type WatchedClaim,
  watchedClaim,
  type WatchedPod,
  watchedPod,
  type WatchedVolume,
  watchedVolume,
} from './watched-objects.ts';

export interface WatchedClusterParts {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly clock: Clock;
  /** What went wrong; it is tried again. */
  readonly onError: (error: unknown) => void;
  /** Of a pod that came, changed, went, or whose claim did. */
  readonly onPod: (key: ObjectKey) => void;
}

export class WatchedCluster implements ClaimLookup {
  readonly #pods: Informer<WatchedPod>;
  readonly #claims: Informer<WatchedClaim>;
  readonly #volumes: Informer<WatchedVolume>;

  constructor({ client, clock, onError, onPod }: WatchedClusterParts) {
    const parts = { client, clock, onError };
    this.#pods = new Informer<WatchedPod>(parts, {
      ...{ resource: PODS, query: {}, project: watchedPod },
      indexes: { claim: claimKeysOf },
    });
    this.#claims = new Informer<WatchedClaim>(parts, {
      ...{ resource: CLAIMS, query: {}, project: watchedClaim },
      indexes: { volume: ({ volume }) => (volume === undefined ? [] : [volume]) },
    });
    this.#volumes = new Informer<WatchedVolume>(parts, {
      ...{ resource: PERSISTENT_VOLUMES, query: {}, project: watchedVolume },
    });
    this.#pods.onChange(onPod);
    const onClaim = (key: ObjectKey) => this.#pods.byIndex('claim', key).map(keyOf).forEach(onPod);
    this.#claims.onChange(onClaim);
    this.#volumes.onChange(name =>
      this.#claims.byIndex('volume', name).map(keyOf).forEach(onClaim),
    );
  }

  /** Resolves when everything that was there at the start is known. @throws ABORTED */
  async synced(signal: AbortSignal): Promise<void> {
    const all = [this.#pods, this.#claims, this.#volumes];
    await Promise.all(all.map(each => each.synced(signal)));
  }

  /** Follows until the signal fires. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#pods, this.#claims, this.#volumes].map(each => each.run(signal)));
  }

  podKeys(): ObjectKey[] {
    return this.#pods.list().map(keyOf);
  }

  pod(key: ObjectKey): WatchedPod | undefined {
    return this.#pods.get(key);
  }

  claim(namespace: string, name: string): WatchedClaim | undefined {
    return this.#claims.get(`${namespace}/${name}`);
  }

  volume(name: string): WatchedVolume | undefined {
    return this.#volumes.get(name);
  }
}

function claimKeysOf({ metadata: { namespace = '' }, volumes }: WatchedPod): string[] {
  return volumes.flatMap(({ claim }) => (claim === undefined ? [] : [`${namespace}/${claim}`]));
}
