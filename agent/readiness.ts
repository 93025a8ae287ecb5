// What the agent still lacks, by name; `/readyz` shows it, and who waits for it is told by the log.

const CHECKS_MAX = 64;

export class Readiness {
  readonly #missing = new Map<string, string | undefined>();

  /** `missing` says what and what to do; undefined when it is there. */
  set(check: string, missing: string | undefined): void {
    if (!this.#missing.has(check) && this.#missing.size >= CHECKS_MAX) return;
    this.#missing.set(check, missing);
  }

  get isReady(): boolean {
    return this.#missing.size > 0 && [...this.#missing.values()].every(each => each === undefined);
  }

  /** A line for each check, as Kubernetes' own components write them. */
  get text(): string {
    const lines = [...this.#missing].map(([check, missing]) =>
      missing === undefined ? `[+] ${check}` : `[-] ${check}: ${missing}`,
    );
    return `${lines.join('\n')}\n${this.isReady ? 'ready' : 'not ready'}\n`;
  }
}
