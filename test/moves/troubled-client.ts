// A KubeClient in trouble, on whatever server: rivals that write first, answers that are lost, an
// API server that is away.

import { abortable } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';

export interface Trouble {
  /** Every request fails, and watches end. */
  isAway: boolean;
  /** Replaces get no answer, for as long as they may wait. */
  hangs?: boolean;
  /** Called before each replace; may write to the same object by itself. */
  beforeReplace?: (resource: Resource, object: KubeObject) => Promise<void>;
  /** True: the replace is done, and its answer is lost. */
  losesAnswer?: (resource: Resource, object: KubeObject) => boolean;
}

function away(): EngineError {
  return new EngineError('KUBE_UNAVAILABLE', 'the API server is away');
}

/** `trouble` may be changed at any time. */
export function troubledClient(client: KubeClient, trouble: Trouble): KubeClient {
  const guarded = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    if (trouble.isAway) throw away();
    return work();
  };
  return {
    get: (...of) => guarded(() => client.get(...of)),
    list: (...of) => guarded(() => client.list(...of)),
    create: (...of) => guarded(() => client.create(...of)),
    patch: (...of) => guarded(() => client.patch(...of)),
    delete: (...of) => guarded(() => client.delete(...of)),
    read: (...of) => guarded(() => client.read(...of)),
    replace: (resource, object, options) =>
      guarded(async () => {
        if (trouble.hangs) await abortable(new Promise<never>(() => {}), options?.signal);
        await trouble.beforeReplace?.(resource, object);
        const written = await client.replace(resource, object, options);
        if (trouble.losesAnswer?.(resource, object)) throw away();
        return written;
      }),
    watch: (...of) => {
      if (trouble.isAway) throw away();
      return client.watch(...of);
    },
  };
}
