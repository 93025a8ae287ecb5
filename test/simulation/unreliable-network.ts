// Messages that come late, twice, out of order or not at all, and nodes that nobody can reach.

import type { SeededRandom } from '#test/support/random.ts';
import type { Faults } from './simulation-options.ts';
import type { VirtualTime } from './virtual-time.ts';

const ODDS = 40;
const DELAY_MS_MAX = 20;
/** What is delayed, and what is said again, comes after several that were sent later. */
export const LATE_MS_MAX = 60_000;

export class UnreliableNetwork {
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #faults: Faults;
  /** One message in so many is said again. */
  readonly #copyOdds: number;
  readonly #cutOff = new Set<string>();

  constructor(time: VirtualTime, random: SeededRandom, faults: Faults, copyOdds = ODDS) {
    this.#copyOdds = copyOdds;
    this.#time = time;
    this.#random = random;
    this.#faults = faults;
  }

  cutOff(node: string, forMs: number): void {
    if (this.#cutOff.has(node)) return;
    this.#cutOff.add(node);
    this.#time.after(forMs, () => this.#cutOff.delete(node));
  }

  /** Between a node and the controller, either way. */
  send(node: string, deliver: () => void): void {
    const faults = this.#faults;
    if (this.#cutOff.has(node)) return;
    if (faults.loss && this.#random.once(ODDS)) return;
    const copies = faults.duplication && this.#random.once(this.#copyOdds) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.#time.after(this.#delayMs(copy > 0), () => {
        if (!this.#cutOff.has(node)) deliver();
      });
    }
  }

  #delayMs(isCopy: boolean): number {
    const isLate = isCopy || (this.#faults.delay && this.#random.once(ODDS));
    return 1 + this.#random.below(isLate ? LATE_MS_MAX : DELAY_MS_MAX);
  }
}
