// What the agent still lacks, by name; `/readyz` shows it, and who waits for it is told by the log.
// What is wrong and does not keep it from working stands there, too.

const CHECKS_MAX = 64;

interface Check {
  readonly missing: string | undefined;
  readonly isNeeded: boolean;
}

export class Readiness {
  readonly #checks = new Map<string, Check>();
  /** Shown by `/readyz`; it is ready all the same. */
  note: string | undefined;
  /** What only a new process can cure: `/healthz` fails, so that the kubelet makes one. */
  fault: string | undefined;

  /** `missing` says what and what to do; undefined when it is there. */
  set(check: string, missing: string | undefined): void {
    this.#put(check, { missing, isNeeded: true });
  }

  /** The same for what the agent works without. */
  setOptional(check: string, missing: string | undefined): void {
    this.#put(check, { missing, isNeeded: false });
  }

  get isReady(): boolean {
    const isFine = ({ missing, isNeeded }: Check) => missing === undefined || !isNeeded;
    return this.#checks.size > 0 && [...this.#checks.values()].every(isFine);
  }

  /** A line for each check, as Kubernetes' own components write them. */
  get text(): string {
    const lines = [...this.#checks].map(([check, { missing, isNeeded }]) => {
      if (missing === undefined) return `[+] ${check}`;
      return isNeeded ? `[-] ${check}: ${missing}` : `[+] ${check}: ready without, but ${missing}`;
    });
    if (this.note !== undefined) lines.push(`[!] ${this.note}`);
    return `${lines.join('\n')}\n${this.isReady ? 'ready' : 'not ready'}\n`;
  }

  #put(check: string, state: Check): void {
    if (!this.#checks.has(check) && this.#checks.size >= CHECKS_MAX) return;
    this.#checks.set(check, state);
  }
}
