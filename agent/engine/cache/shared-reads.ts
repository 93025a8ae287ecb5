// What all who have the same repository open share: what is on its way, and what is read so often
// that it stays in memory.

import { Flights } from './flights.ts';
import { HotRanges } from './hot-ranges.ts';

export interface SharedReads {
  readonly flights: Flights;
  readonly hot: HotRanges;
}

/** Of a node there are few repositories, and they stay. */
export class SharedReadsByIdentity {
  readonly #shared = new Map<string, SharedReads>();

  of(identity: string): SharedReads {
    const known = this.#shared.get(identity);
    if (known) return known;
    const shared = { flights: new Flights(), hot: new HotRanges() };
    this.#shared.set(identity, shared);
    return shared;
  }
}
