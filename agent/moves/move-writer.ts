// Writes of one kind of object under the version that they were read with. Who was too late gets
// the object as it is now and decides anew.

import { isEngineError } from '#engine/base/errors.ts';
import type { CallOptions, KubeClient } from '#kube/kube-client.ts';
import type { ObjectName, Resource } from '#kube/kube-object.ts';
import { CORRECTED_RULES } from './crd-phases.ts';
import type { StatusRules } from './crd-phases.ts';
import type { MoveObject } from './objects/move-object.ts';
import { PHASES_OF_1_16, phaseOf } from './phases.ts';

export type Written<Item> =
  | { readonly type: 'written'; readonly item: Item }
  /** Somebody else wrote first, or the rules were others: this is what is there. */
  | { readonly type: 'changed'; readonly item: Item }
  /** There is no such object any more; one of that name may be another. */
  | { readonly type: 'gone' };

export class MoveWriter<Item extends MoveObject> {
  readonly #client: KubeClient;
  readonly #resource: Resource;
  #rules: StatusRules;

  readonly #onCorrected: (item: Item) => void;

  constructor(
    client: KubeClient,
    resource: Resource,
    { rules, onCorrected }: { rules: StatusRules; onCorrected: (item: Item) => void },
  ) {
    this.#client = client;
    this.#onCorrected = onCorrected;
    this.#resource = resource;
    this.#rules = rules;
  }

  get rules(): StatusRules {
    return this.#rules;
  }

  /** @throws KUBE_UNAVAILABLE, KUBE_FORBIDDEN, KUBE_INVALID, … */
  async write(item: Item, options: CallOptions): Promise<Written<Item>> {
    try {
      const written = await this.#client.replace(this.#resource, item, options);
      return { type: 'written', item: written };
    } catch (error) {
      if (isEngineError(error, 'KUBE_NOT_FOUND')) return { type: 'gone' };
      const isToDecideAnew =
        isEngineError(error, 'KUBE_CONFLICT') ||
        (isEngineError(error, 'KUBE_INVALID') && this.#correctRules(item));
      if (isToDecideAnew) return this.read(item, options);
      throw error;
    }
  }

  /** `changed`, or `gone`. @throws as write */
  async read(item: Item, options: CallOptions): Promise<Written<Item>> {
    const { name, namespace, uid } = item.metadata;
    const objectName: ObjectName = { name, namespace };
    try {
      const now = await this.#client.get<Item>(this.#resource, objectName, options);
      return now.metadata.uid === uid ? { type: 'changed', item: now } : { type: 'gone' };
    } catch (error) {
      if (isEngineError(error, 'KUBE_NOT_FOUND')) return { type: 'gone' };
      throw error;
    }
  }

  /** True when the phase may be what was refused, and others can be written instead. */
  #correctRules(item: Item): boolean {
    const phase = phaseOf(item.status?.phase);
    if (phase === undefined || PHASES_OF_1_16.includes(phase)) return false;
    if (this.#rules.source === 'corrected') return false;
    this.#rules = CORRECTED_RULES;
    this.#onCorrected(item);
    return true;
  }
}
