// That the cache is lost and back, as events of the agent's own pod: whoever wonders why restores
// have become slow looks there (`kubectl describe pod`), and not into logs of an hour ago.

import type { CacheEvent } from '#engine/index.ts';
import { PODS } from '#kube/core-resources.ts';
import type { ObjectEvent } from '#kube/events.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { ObjectName } from '#kube/kube-object.ts';

export interface CacheEventParts {
  readonly client: Pick<KubeClient, 'get'>;
  /** The agent's own. In its host's network it does not know its name: there is no such pod. */
  readonly pod: ObjectName;
  /** Must not throw, and is not waited for. */
  readonly emit: (event: ObjectEvent) => void;
}

/** For `onEvent` of a cache. Never throws; where the pod cannot be had, the log has to do. */
export function cacheEvents({ client, pod, emit }: CacheEventParts): (event: CacheEvent) => void {
  let told = Promise.resolve();
  let isLost = false;
  // One after the other, so that they stand in the order in which they came.
  const say = (event: Omit<ObjectEvent, 'regarding'>): void => {
    told = told.then(async () => {
      const found = await client.get(PODS, pod).catch(() => undefined);
      if (found) emit({ ...event, regarding: { ...found, apiVersion: 'v1', kind: PODS.kind } });
    });
  };
  return event => {
    if (event.kind === 'unavailable') {
      isLost = true;
      const message = `moves go on without a cache: ${event.reason}`;
      say({ type: 'Warning', reason: 'CacheUnavailable', message });
    } else if (event.kind === 'attached' && isLost) {
      isLost = false;
      const message = `the cache in ${event.directory} is used again`;
      say({ type: 'Normal', reason: 'CacheAttached', message });
    }
  };
}
