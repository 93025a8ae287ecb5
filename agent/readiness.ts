// What the agent still lacks, by name; `/readyz` shows it, and who waits for it is told by the log.
// What is wrong and does not keep it from working stands there, too.

const CHECKS_MAX = 64;

export class Readiness {
  readonly #missing = new Map<string, string | undefined>();
  /** Shown by `/readyz`; it is ready all the same. */
  note: string | undefined;
  /** What only a new process can cure: `/healthz` fails, so that the kubelet makes one. */
  fault: string | undefined;

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
    if (this.note !== undefined) lines.push(`[!] ${this.note}`);
    return `${lines.join('\n')}\n${this.isReady ? 'ready' : 'not ready'}\n`;
  }
}
