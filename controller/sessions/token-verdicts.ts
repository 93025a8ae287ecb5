// What the API server says of tokens. It is remembered for a short while, so that who comes back
// does not cost a question, and questions at once are bounded, so that a thousand agents that come
// back together do not cost a thousand. A token is kept as its hash alone.

import { createHash } from 'node:crypto';
import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { refuse } from './refusals.ts';

export interface TokenVerdictParts<Verdict> {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** @throws COORDINATOR_BUSY where the API server cannot say, and is asked again */
  readonly ask: (token: string) => Promise<Verdict>;
}

interface Known<Verdict> {
  readonly verdict: Promise<Verdict>;
  untilMs: number;
}

/** A token that was deleted, or whose pod was, is let in for so long. */
const ACCEPTED_MS = 60_000;
const REFUSED_MS = 10_000;
const TOKENS_KNOWN_MAX = 8_192;
const REVIEWS_AT_ONCE_MAX = 16;
const REVIEWS_WAITING_MAX = 2_000;
/** Those of the kubelet have some 1,100. */
const TOKEN_CHARACTERS_MAX = 16_384;

export class TokenVerdicts<Verdict> {
  readonly #parts: TokenVerdictParts<Verdict>;
  readonly #known = new Map<string, Known<Verdict>>();
  readonly #waiting: (() => void)[] = [];
  #runningCount = 0;

  constructor(parts: TokenVerdictParts<Verdict>) {
    this.#parts = parts;
  }

  /** @throws COORDINATOR_UNAUTHENTICATED, COORDINATOR_BUSY, and what `ask` throws */
  of(token: string): Promise<Verdict> {
    if (token.length > TOKEN_CHARACTERS_MAX) {
      return Promise.reject(refuse('token-refused', 'the token is too long for one'));
    }
    const nowMs = this.#parts.clock.monotonic();
    const hash = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(hash);
    if (known !== undefined && known.untilMs > nowMs) return known.verdict;
    if (this.#waiting.length >= REVIEWS_WAITING_MAX) {
      return Promise.reject(refuse('too-many', 'too many tokens are being looked at'));
    }
    return this.#remember(hash, this.#inTurn(token));
  }

  #remember(hash: string, verdict: Promise<Verdict>): Promise<Verdict> {
    const known: Known<Verdict> = { verdict, untilMs: Number.POSITIVE_INFINITY };
    this.#known.delete(hash);
    this.#known.set(hash, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > TOKENS_KNOWN_MAX) this.#known.delete(oldest);
    const until = (ms: number) => void (known.untilMs = this.#parts.clock.monotonic() + ms);
    verdict.then(
      () => until(ACCEPTED_MS),
      (error: unknown) => {
        // What could not be asked is asked again by whoever comes next.
        if (isEngineError(error, 'COORDINATOR_BUSY', 'INTERNAL')) until(0);
        else until(REFUSED_MS);
      },
    );
    return verdict;
  }

  async #inTurn(token: string): Promise<Verdict> {
    if (this.#runningCount >= REVIEWS_AT_ONCE_MAX) {
      // Whoever ends gives its place to the first that waits.
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    } else this.#runningCount += 1;
    try {
      return await this.#parts.ask(token);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#runningCount -= 1;
      else next();
    }
  }
}
