// How many snapshots this agent prepares at once. One that it is let accept is counted from then
// on: what is seen of it comes later, and several are looked at at a time.

import type { ObjectKey } from '#kube/kube-object.ts';

/** Of one kind of moves, as it is seen. */
export interface SeenKind {
  readonly name: string;
  readonly isNew: (key: ObjectKey) => boolean;
  /** How many are Accepted or Prepared, by all agents or by that of a node. */
  readonly preparedBy: (nodeName?: string) => number;
}

export interface AcceptLimits {
  readonly nodeName: string;
  readonly ownMax: () => number;
  /** Of all agents. */
  readonly allMax: number;
}

export class AcceptLimit {
  readonly #kinds: readonly SeenKind[];
  readonly #limits: AcceptLimits;
  /** By kind: those that were let, until it is seen that they are New no more. */
  readonly #let = new Map<string, Set<ObjectKey>>();

  constructor(kinds: readonly SeenKind[], limits: AcceptLimits) {
    this.#kinds = kinds;
    this.#limits = limits;
  }

  mayAccept(kind: string, key: ObjectKey): boolean {
    const letCount = this.#countLet();
    const keys = this.#let.get(kind) ?? new Set();
    if (keys.has(key)) return true;
    const { nodeName, ownMax, allMax } = this.#limits;
    const isRoom = this.#seen(nodeName) + letCount < ownMax() && this.#seen() + letCount < allMax;
    if (isRoom) this.#let.set(kind, keys.add(key));
    return isRoom;
  }

  #countLet(): number {
    let count = 0;
    for (const { name, isNew } of this.#kinds) {
      const keys = this.#let.get(name) ?? new Set();
      for (const key of keys) if (!isNew(key)) keys.delete(key);
      count += keys.size;
    }
    return count;
  }

  #seen(nodeName?: string): number {
    return this.#kinds.reduce((sum, { preparedBy }) => sum + preparedBy(nodeName), 0);
  }
}
