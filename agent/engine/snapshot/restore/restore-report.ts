// What a restore tells about itself: counts while it runs, and everything that is not as the
// snapshot says. Every difference is counted by its class and handed to whoever listens; the first
// ones are kept.

import { EngineError, isEngineError, type SerializedError } from '#engine/base/errors.ts';
import { isDamage } from '#engine/snapshot/damage.ts';
import type { AttributeDifference } from '#engine/snapshot/target/wanted-attributes.ts';

export interface Difference extends AttributeDifference {
  /** Beneath the target, '' is the target itself; absolute where there are several targets. */
  readonly path: string;
}

export interface RestoreProgress {
  readonly phase: 'plan' | 'restore' | 'verify';
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  /** Bytes of files that the target had already. */
  readonly bytesPresent: number;
  readonly bytesFetched: number;
  readonly currentPath: string;
  /** Bytes of files of the parts that are planned by now. */
  readonly bytesTotal: number;
}

/** Differences that the outcome itself lists. */
export const DIFFERENCES_LISTED_MAX = 100;

export interface ReportListeners {
  readonly onProgress?: (progress: RestoreProgress) => void;
  /**
   * A stage begins, and the one before it has ended. A second part of a large tree is planned
   * within the stage that restores the first. Must not throw.
   */
  readonly onStage?: (stage: RestoreProgress['phase']) => void;
  readonly onDifference?: (difference: Difference) => void;
}

export class RestoreReport {
  files = 0;
  directories = 0;
  bytes = 0;
  bytesFetched = 0;
  bytesTotal = 0;
  filesKept = 0;
  /** Bytes of files that the target had already. */
  bytesPresent = 0;
  removed = 0;
  readonly differences: Difference[] = [];
  differenceCount = 0;
  /** Those of them that are entries which are not there, a directory with all that is in it. */
  missingCount = 0;
  readonly #countByAttribute = new Map<string, number>();
  /** How many entries could not be had because of what is stored. */
  damagedCount = 0;
  #firstDamage: { path: string; error: EngineError } | undefined;
  readonly #listeners: ReportListeners;
  #phase: RestoreProgress['phase'] = 'plan';

  constructor(listeners: ReportListeners = {}) {
    this.#listeners = listeners;
    listeners.onStage?.(this.#phase);
  }

  get phase(): RestoreProgress['phase'] {
    return this.#phase;
  }

  set phase(phase: RestoreProgress['phase']) {
    if (phase !== this.#phase) this.#listeners.onStage?.(phase);
    this.#phase = phase;
  }

  progress(currentPath: string): void {
    const { phase, files, directories, bytes, bytesPresent, bytesFetched, bytesTotal } = this;
    const counts = { files, directories, bytes, bytesPresent, bytesFetched, bytesTotal };
    this.#listeners.onProgress?.({ phase, ...counts, currentPath });
  }

  differ(path: string, differences: readonly AttributeDifference[]): void {
    for (const { attribute, expected, found } of differences) {
      const difference = { path, attribute, expected, found };
      const attributeClass = attribute.split(':', 1)[0] ?? attribute;
      const count = this.#countByAttribute.get(attributeClass) ?? 0;
      this.#countByAttribute.set(attributeClass, count + 1);
      this.differenceCount++;
      if (isMissingEntry(difference)) this.missingCount++;
      this.#listeners.onDifference?.(difference);
      if (this.differences.length < DIFFERENCES_LISTED_MAX) this.differences.push(difference);
    }
  }

  /** How many differences there are of each class: `mode`, `xattr`, `entry`, … */
  get differencesByAttribute(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#countByAttribute].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Notes an entry that is not there. */
  absent(path: string, { code, message }: Pick<SerializedError, 'code' | 'message'>): void {
    this.differ(path, [{ attribute: 'entry', expected: 'restored', found: `${code}: ${message}` }]);
  }

  /**
   * Notes an entry that cannot be restored because of what is stored.
   * @throws `error` itself when it is no damage
   */
  damage(path: string, error: unknown): void {
    if (!isDamage(error)) throw error;
    this.damagedCount++;
    this.#firstDamage ??= { path, error };
    this.absent(path, error);
  }

  /** @throws the code of the first damage when there was any */
  throwIfDamaged(target: string): void {
    if (!this.#firstDamage) return;
    const { path, error } = this.#firstDamage;
    const others = this.damagedCount > 1 ? ` and ${this.damagedCount - 1} others` : '';
    const text = `restoring ${JSON.stringify(path)}${others} to ${target} failed: ${error.message}`;
    throw new EngineError(error.code, `${text}; everything else was restored`, {
      cause: error,
      details: { ...error.details, differences: this.differences },
    });
  }
}

/** Whether it is an entry that is not there, and no attribute of one that is. */
export function isMissingEntry({ attribute, found }: AttributeDifference): boolean {
  if (attribute === 'entry' || attribute === 'name') return true;
  // Of a type that nobody here knows.
  return attribute === 'type' && found === 'nothing';
}

/** `error` with the paths of files that it left half written. */
export function withPartialFiles(error: unknown, partial: readonly string[]): unknown {
  if (partial.length === 0 || !isEngineError(error)) return error;
  const text = `${error.message}; ${partial.length} files are incomplete: ${partial[0]}`;
  const message = partial.length > 1 ? `${text}, …` : text;
  const details = { ...error.details, partial: partial.slice(0, 100) };
  return new EngineError(error.code, message, {
    retryable: error.retryable,
    cause: error,
    details,
  });
}
