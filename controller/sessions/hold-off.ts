// Who has failed too often is not listened to for a while, so that it costs neither a question to
// the API server nor a look at what it says.

export interface HoldOffLimits {
  /** So many failures within `holdMs` are too many. */
  readonly failuresMax: number;
  readonly holdMs: number;
  /** Who failed longest ago is forgotten beyond that. */
  readonly keysMax: number;
}

const FAILURES_MAX = 20;
const FAILED_MS = 60_000;
/** Of addresses from which tokens come that are none. */
export const ADDRESS_POLICY = Object.freeze({ failuresMax: FAILURES_MAX, holdMs: FAILED_MS });

interface Failures {
  readonly sinceMs: number;
  readonly count: number;
}

export class HoldOff {
  readonly #limits: HoldOffLimits;
  readonly #failures = new Map<string, Failures>();

  constructor(limits: HoldOffLimits) {
    this.#limits = limits;
  }

  get keyCount(): number {
    return this.#failures.size;
  }

  failed(key: string, nowMs: number): void {
    const known = this.#current(key, nowMs);
    this.#failures.delete(key);
    // A new failure of who is held holds it for the whole time again.
    const isHeld = (known?.count ?? 0) + 1 >= this.#limits.failuresMax;
    const sinceMs = isHeld ? nowMs : (known?.sinceMs ?? nowMs);
    this.#failures.set(key, { sinceMs, count: (known?.count ?? 0) + 1 });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > this.#limits.keysMax) this.#failures.delete(oldest);
  }

  /** For how long it is still not listened to; 0 when it is. */
  heldMs(key: string, nowMs: number): number {
    const known = this.#current(key, nowMs);
    if (known === undefined || known.count < this.#limits.failuresMax) return 0;
    return known.sinceMs + this.#limits.holdMs - nowMs;
  }

  #current(key: string, nowMs: number): Failures | undefined {
    const known = this.#failures.get(key);
    if (known === undefined || known.sinceMs + this.#limits.holdMs > nowMs) return known;
    this.#failures.delete(key);
    return undefined;
  }
}
