// What was deleted of what moves had left behind, for metrics.

export const LEFTOVER_KINDS = Object.freeze(['Pod', 'PersistentVolumeClaim'] as const);

export class LeftoverCounts {
  readonly #deleted = new Map<string, number>();

  deleted(kind: string): void {
    this.#deleted.set(kind, this.of(kind) + 1);
  }

  of(kind: string): number {
    return this.#deleted.get(kind) ?? 0;
  }
}
