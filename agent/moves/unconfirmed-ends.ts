// Ends that were sent to the server and not confirmed yet. A write whose answer is lost may have
// been done all the same; then the object shows that end, and it is told of when it is seen there.

import { keyOf, type ObjectKey } from '#kube/kube-object.ts';
import type { MoveEnd } from './move-end.ts';
import type { MoveObject } from './objects/move-object.ts';

export class UnconfirmedEnds {
  readonly #ends = new Map<ObjectKey, { readonly uid: string; readonly end: MoveEnd }>();

  /** It is being written. */
  add(item: MoveObject, end: MoveEnd): void {
    this.#ends.set(keyOf(item), { uid: item.metadata.uid ?? '', end });
  }

  /** Once: the end that was written, when `item` shows it. What else it shows is another's end. */
  take(item: MoveObject): MoveEnd | undefined {
    const key = keyOf(item);
    const sent = this.#ends.get(key);
    this.#ends.delete(key);
    return sent?.uid === item.metadata.uid && sent && shows(item, sent.end) ? sent.end : undefined;
  }

  /** The object is gone. */
  forget(key: ObjectKey): void {
    this.#ends.delete(key);
  }
}

function shows({ status }: MoveObject, { phase, message }: MoveEnd): boolean {
  // An absent message has kept whatever was there.
  const isSaid = message === undefined || (status?.message ?? '') === (message ?? '');
  return status?.phase === phase && isSaid;
}
