// Read, change, write; and again where somebody else wrote in between.

import { systemClock, type Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { backOffMs, type BackOffPolicy } from '#engine/base/back-off.ts';
import type { CallOptions, KubeClient } from './kube-client.ts';
import type { KubeObject, ObjectName, Resource } from './kube-object.ts';

/** As client-go's retry.DefaultRetry begins; ours goes on longer. */
const UPDATE_BACK_OFF: BackOffPolicy = Object.freeze({
  firstDelayMs: 10,
  delayMsMax: 1_000,
});
const UPDATES_MAX = 10;

export interface UpdateOptions<Item extends KubeObject> extends CallOptions {
  /** What is known of it, so that the first attempt need not read; it may be old. */
  readonly known?: Item;
  readonly clock?: Clock;
}

/**
 * Writes what `change` makes of the object as it is; undefined leaves it. `change` is called anew
 * for each attempt, with the newest object. Gives the object as it is afterwards.
 * @throws KUBE_CONFLICT when others were faster ten times, KUBE_NOT_FOUND, what `change` throws
 */
export async function updateObject<Item extends KubeObject>(
  client: Pick<KubeClient, 'get' | 'replace'>,
  resource: Resource,
  name: ObjectName,
  change: (current: Item) => Item | undefined,
  options: UpdateOptions<Item> = {},
): Promise<Item> {
  const { signal, clock = systemClock } = options;
  let current = options.known;
  for (let attempt = 1; ; attempt++) {
    current ??= await client.get<Item>(resource, name, { signal });
    const changed = change(current);
    if (changed === undefined) return current;
    try {
      return await client.replace(resource, changed, { signal });
    } catch (error) {
      if (!isEngineError(error, 'KUBE_CONFLICT') || attempt >= UPDATES_MAX) throw error;
    }
    current = undefined;
    await clock.sleep(backOffMs(UPDATE_BACK_OFF, attempt, Math.random()), signal);
  }
}
