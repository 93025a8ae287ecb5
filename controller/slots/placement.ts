// Which volume goes to which node, where some can run on several: as many as possible are placed,
// and one that is placed moves over where that makes room (augmenting paths in a bipartite graph:
// H. W. Kuhn, "The Hungarian Method", 1955).

import type { Gauge } from './gauge.ts';
import type { Volume } from './volume.ts';

export class Placement {
  readonly nodeOf = new Map<Volume, Gauge>();
  readonly #roomOf: (node: Gauge) => number;
  readonly #volumesAt = new Map<Gauge, Volume[]>();

  constructor(roomOf: (node: Gauge) => number) {
    this.#roomOf = roomOf;
  }

  /** False when there is no place, whoever of the others moves over. */
  add(volume: Volume): boolean {
    return this.#place(volume, new Set());
  }

  countAt(node: Gauge): number {
    return this.#volumesAt.get(node)?.length ?? 0;
  }

  /** Nodes with what is placed there. */
  counts(): { readonly gauge: Gauge; readonly count: number }[] {
    return [...this.#volumesAt].map(([gauge, volumes]) => ({ gauge, count: volumes.length }));
  }

  #place(volume: Volume, tried: Set<Gauge>): boolean {
    const nodes = this.#byRoom(volume).filter(node => !tried.has(node));
    const free = nodes.find(node => this.#roomLeft(node) > 0);
    if (free !== undefined) {
      this.#put(volume, free);
      return true;
    }
    for (const node of nodes) {
      if (tried.has(node) || this.#roomOf(node) <= 0) continue;
      tried.add(node);
      for (const other of this.#volumesAt.get(node) ?? []) {
        if (!this.#place(other, tried)) continue;
        this.#put(volume, node);
        return true;
      }
    }
    return false;
  }

  #put(volume: Volume, node: Gauge): void {
    const before = this.nodeOf.get(volume);
    if (before !== undefined) {
      const rest = (this.#volumesAt.get(before) ?? []).filter(other => other !== volume);
      this.#volumesAt.set(before, rest);
    }
    this.nodeOf.set(volume, node);
    const there = this.#volumesAt.get(node);
    if (there === undefined) this.#volumesAt.set(node, [volume]);
    else there.push(volume);
  }

  #roomLeft(node: Gauge): number {
    return this.#roomOf(node) - this.countAt(node);
  }

  /** The emptiest first, so that backup nodes share the work. */
  #byRoom(volume: Volume): Gauge[] {
    const nodes = [...volume.candidates.keys()];
    if (nodes.length === 1) return nodes;
    return nodes.sort(
      (a, b) => this.#roomLeft(b) - this.#roomLeft(a) || (a.name < b.name ? -1 : 1),
    );
  }
}
