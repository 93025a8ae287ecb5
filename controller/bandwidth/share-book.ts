// What each node has been told of its share, and what it may still be using. Shares are moved from
// node to node only as fast as nodes confirm that they have given up theirs: so that together they
// never use more than the rate, however late a message comes.

import { shareRate, type MoveDemand } from './share-rate.ts';

export interface NodeDemand {
  readonly node: string;
  readonly moves: readonly MoveDemand[];
}

export interface ShareNotice {
  readonly node: string;
  /** To be given back when the node obeys it. */
  readonly number: number;
  /** For all moves of the node together; undefined for no limit. */
  readonly bytesPerSecond: number | undefined;
}

interface Told {
  readonly number: number;
  /** Infinity for no limit. */
  readonly bytesPerSecond: number;
}

export class ShareBook {
  #totalBytesPerSecond: number | undefined;
  /**
   * Of each node the notice that it has obeyed, and all since: it may be using the most of them.
   */
  readonly #inForce = new Map<string, Told[]>();
  #count: number;

  /** Notices are counted from `count` on, so that those of two controllers are told apart. */
  constructor(totalBytesPerSecond?: number, count = 0) {
    this.#totalBytesPerSecond = totalBytesPerSecond;
    this.#count = count;
  }

  /** All that may be using something. */
  get nodes(): string[] {
    return [...this.#inForce.keys()];
  }

  /** What the node was told last; undefined where it was told nothing. */
  told(node: string): Omit<ShareNotice, 'node'> | undefined {
    const last = this.#inForce.get(node)?.at(-1);
    if (last === undefined) return undefined;
    const { number, bytesPerSecond } = last;
    return { number, bytesPerSecond: limitOf(bytesPerSecond) };
  }

  /** Undefined for no limit. Nodes are told with the next `share`. */
  setRate(bytesPerSecond: number | undefined): void {
    this.#totalBytesPerSecond = bytesPerSecond;
  }

  /** The node has obeyed this notice. A late or doubled word changes nothing. */
  obeyed(node: string, number: number): void {
    const told = this.#inForce.get(node);
    const index = told?.findIndex(notice => notice.number === number) ?? -1;
    if (index > 0) told?.splice(0, index);
  }

  /**
   * A node moves and this controller has told it nothing: it obeys the last word of an earlier one.
   */
  found(node: string, bytesPerSecond: number | undefined): void {
    if (this.#inForce.has(node)) return;
    const number = ++this.#count;
    this.#inForce.set(node, [
      { number, bytesPerSecond: bytesPerSecond ?? Number.POSITIVE_INFINITY },
    ]);
  }

  /** It moves nothing any more, or its lease is over: its share is free. */
  forget(node: string): void {
    this.#inForce.delete(node);
  }

  /**
   * Who is to be told what. `demands` are all nodes that move something and can be told. To be
   * called when moves come or go, when the rate changes and when a notice was obeyed.
   */
  share(demands: readonly NodeDemand[]): ShareNotice[] {
    const total = this.#totalBytesPerSecond;
    const wanted = total === undefined ? undefined : wantedByNode(total, demands);
    return demands.flatMap(({ node }) => {
      if (total === undefined) return this.#tell(node, Number.POSITIVE_INFINITY);
      const own = mostOf(this.#inForce.get(node));
      const room = total - this.inForceBytesPerSecond(node);
      // Less than it has is always right; more only when the others have given it up.
      return this.#tell(node, Math.min(wanted?.get(node) ?? 0, Math.max(own, room)));
    });
  }

  /** The most that all nodes together may be using now, `besides` one. */
  inForceBytesPerSecond(besides?: string): number {
    let sum = 0;
    for (const [node, told] of this.#inForce) if (node !== besides) sum += mostOf(told);
    return sum;
  }

  #tell(node: string, bytesPerSecond: number): ShareNotice[] {
    const told = this.#inForce.get(node) ?? [];
    if (told.at(-1)?.bytesPerSecond === bytesPerSecond) return [];
    const number = ++this.#count;
    this.#inForce.set(node, [...told, { number, bytesPerSecond }]);
    return [{ node, number, bytesPerSecond: limitOf(bytesPerSecond) }];
  }
}

function limitOf(bytesPerSecond: number): number | undefined {
  return Number.isFinite(bytesPerSecond) ? bytesPerSecond : undefined;
}

function mostOf(told: readonly Told[] = []): number {
  return told.reduce((most, { bytesPerSecond }) => Math.max(most, bytesPerSecond), 0);
}

function wantedByNode(total: number, demands: readonly NodeDemand[]): Map<string, number> {
  const shares = shareRate(
    total,
    demands.flatMap(({ moves }) => moves),
  );
  const sumOf = (moves: readonly MoveDemand[]) =>
    moves.reduce((sum, { id }) => sum + (shares.get(id) ?? 0), 0);
  return new Map(demands.map(({ node, moves }) => [node, sumOf(moves)]));
}
