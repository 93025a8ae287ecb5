// Where a listing has been. A server whose continuation tokens come round would be asked for ever;
// that is noticed with the memory of one token (R. P. Brent, An improved Monte Carlo factorization
// algorithm, BIT 20, 1980), after at most three times around.

export class TokenTrail {
  #kept: string | undefined;
  #steps = 0;
  #stepsMax = 1;

  /** Whether `token` is one from before; told of each in turn. */
  hasSeen(token: string): boolean {
    if (token === this.#kept) return true;
    if (++this.#steps < this.#stepsMax) return false;
    this.#kept = token;
    this.#steps = 0;
    this.#stepsMax *= 2;
    return false;
  }
}
