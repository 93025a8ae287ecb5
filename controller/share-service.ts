// The rates of the cluster behind sessions: which nodes move something, what they use, and what
// each of them is told to use at most. One book for each direction; how a share moves from node to
// node is decided there.

import type { Clock } from '#engine/base/clock.ts';
import type { AgentSaying, BandwidthShares, MoveRate } from '#proto/agent-saying.ts';
import type { RatesNow, RateWindows } from './bandwidth/rate-windows.ts';
import { type NodeDemand, ShareBook } from './bandwidth/share-book.ts';
import { demandOf } from './bandwidth/share-rate.ts';
import type { AgentSession } from './sessions/agent-session.ts';
import type { AgentSessions } from './sessions/agent-sessions.ts';

export type Direction = 'upload' | 'download';
export const DIRECTIONS: readonly Direction[] = Object.freeze(['upload', 'download']);

export interface ShareServiceParts {
  readonly rates: RateWindows;
  readonly epoch: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly sessions: Pick<AgentSessions, 'session'>;
  /** Ids of the moves that each node runs or may begin; nodes without any are left out. */
  readonly movesByNode: () => ReadonlyMap<string, readonly string[]>;
}

/** In bytes a second. */
export interface RateUse {
  /** Of the cluster; undefined for no limit. */
  readonly limit: number | undefined;
  /** What all nodes may be using now; infinite where one of them has no limit. */
  readonly given: number;
  readonly used: number;
}

/** Notices of an epoch; epochs are below 2^26, so numbers stay exact. */
const NOTICES_PER_EPOCH = 2 ** 27;
/** Who used nearly all that it was given is held up by that. */
const USED_SHARE = 0.9;

const RATE_OF = {
  upload: 'uploadBytesPerSecond',
  download: 'downloadBytesPerSecond',
} as const;

export class ShareService {
  readonly #parts: ShareServiceParts;
  readonly #books: Readonly<Record<Direction, ShareBook>>;
  readonly #firstNumber: number;
  /** Of the last heartbeat: those that were in the one before it as well. */
  readonly #measured = new Map<string, ReadonlyMap<string, MoveRate>>();
  readonly #beats = new Map<string, ReadonlyMap<string, MoveRate>>();
  /** What each node has said last that it obeys. */
  readonly #obeyed = new Map<string, BandwidthShares>();
  #windows: RateWindows;
  #ratesNow: RatesNow | undefined;

  constructor(parts: ShareServiceParts) {
    this.#parts = parts;
    this.#windows = parts.rates;
    this.#firstNumber = parts.epoch * NOTICES_PER_EPOCH;
    const newBook = () => new ShareBook(undefined, this.#firstNumber);
    this.#books = { upload: newBook(), download: newBook() };
  }

  /** What counts for the shares of what an agent says. */
  heard({ node }: AgentSession, saying: AgentSaying): void {
    if (saying.kind === 'heartbeat') {
      const before = this.#beats.get(node);
      const moves = new Map(saying.heartbeat.moves.map(move => [move.id, move]));
      this.#beats.set(node, moves);
      // A move that has just begun has not shown what it can use.
      this.#measured.set(node, new Map([...moves].filter(([id]) => before?.has(id))));
    }
    if (saying.kind !== 'shares') return;
    this.#obeyed.set(node, saying.shares);
    for (const direction of DIRECTIONS) {
      const share = saying.shares[direction];
      if (share !== undefined) this.#books[direction].obeyed(node, share.number);
    }
    // What it has given up is waited for.
    this.review();
  }

  /** It may not have heard what the session before it was told. */
  opened({ node }: AgentSession): void {
    const isTold = DIRECTIONS.some(direction => this.#books[direction].told(node) !== undefined);
    if (isTold) this.#tell(node);
  }

  closed({ node }: AgentSession): void {
    if (this.#parts.sessions.session(node) !== undefined) return;
    this.#beats.delete(node);
    this.#measured.delete(node);
    this.#obeyed.delete(node);
  }

  /** From now on. */
  setRates(rates: RateWindows): void {
    this.#windows = rates;
    this.#ratesNow = undefined;
    this.review();
  }

  /** Tells each node what has changed for it: each second, and of grants before they are told. */
  review(): void {
    const moves = this.#parts.movesByNode();
    const rates = this.#rates();
    const changed = new Set<string>();
    for (const direction of DIRECTIONS) {
      const book = this.#books[direction];
      for (const node of book.nodes) if (!moves.has(node)) book.forget(node);
      book.setRate(rates[RATE_OF[direction]]);
      const demands = [...moves].flatMap(([node, ids]) => this.#demand(direction, node, ids));
      for (const { node } of book.share(demands)) changed.add(node);
    }
    for (const node of changed) this.#tell(node);
  }

  /** What holds when. */
  get windows(): Pick<RateWindows, 'describe' | 'outside'> {
    return this.#windows;
  }

  use(direction: Direction): RateUse {
    let used = 0;
    for (const moves of this.#beats.values()) {
      for (const move of moves.values()) used += move[RATE_OF[direction]];
    }
    const limit = this.#rates()[RATE_OF[direction]];
    return { limit, given: this.#books[direction].inForceBytesPerSecond(), used };
  }

  #rates(): RatesNow {
    const nowMs = this.#parts.clock.now();
    const { untilMs = Infinity } = this.#ratesNow ?? { untilMs: -Infinity };
    // A clock that was set back waits for no window; the next minute has one anyway.
    if (this.#ratesNow === undefined || nowMs >= untilMs) {
      this.#ratesNow = this.#windows.at(nowMs);
    }
    return this.#ratesNow;
  }

  /** Nothing for a node that cannot be told: what it was told last stays in the book. */
  #demand(direction: Direction, node: string, ids: readonly string[]): NodeDemand[] {
    if (this.#parts.sessions.session(node) === undefined) return [];
    const book = this.#books[direction];
    const obeyed = this.#obeyed.get(node)?.[direction];
    // The last word of an earlier controller.
    if (obeyed !== undefined && obeyed.number < this.#firstNumber) {
      book.found(node, obeyed.bytesPerSecond);
    }
    const measured = this.#measured.get(node);
    const rateOf = (id: string) => measured?.get(id)?.[RATE_OF[direction]];
    const used = ids.reduce((sum, id) => sum + (rateOf(id) ?? 0), 0);
    const share = book.told(node)?.bytesPerSecond;
    const isHeldUp = share === undefined || used >= share * USED_SHARE;
    const moves = ids.map(id => {
      const bytesPerSecond = rateOf(id);
      const isKnown = !isHeldUp && bytesPerSecond !== undefined;
      const rate = isKnown ? { bytesPerSecond, allowedBytesPerSecond: share } : undefined;
      return { id, wantedBytesPerSecond: demandOf(rate) };
    });
    return [{ node, moves }];
  }

  /** What it may use at most. */
  told(node: string): BandwidthShares {
    const { upload, download } = this.#books;
    return { upload: upload.told(node), download: download.told(node) };
  }

  #tell(node: string): void {
    this.#parts.sessions.session(node)?.tellShares(() => this.told(node));
  }
}
