// What a restore tells about itself: counts while it runs, and everything that is not as the
// snapshot says. Nothing is left out of the counts; the list itself has a limit.

import { EngineError, isEngineError, type SerializedError } from '#engine/base/errors.ts';
import { isDamage } from '#engine/snapshot/damage.ts';
import type { AttributeDifference } from './attributes.ts';
import type { StepOutcome } from './target-tasks.ts';

export interface Difference extends AttributeDifference {
  /** Beneath the target; '' is the target itself. */
  readonly path: string;
}

export interface RestoreProgress {
  readonly phase: 'restore';
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  readonly bytesFetched: number;
  readonly currentPath: string;
}

const DIFFERENCES_MAX = 10_000;

export class RestoreReport {
  files = 0;
  directories = 0;
  bytes = 0;
  bytesFetched = 0;
  readonly differences: Difference[] = [];
  /** Differences beyond those that are listed. */
  differencesOmitted = 0;
  /** How many entries could not be had because of what is stored. */
  damagedCount = 0;
  #firstDamage: { path: string; error: EngineError } | undefined;
  readonly #onProgress: ((progress: RestoreProgress) => void) | undefined;

  constructor(onProgress?: (progress: RestoreProgress) => void) {
    this.#onProgress = onProgress;
  }

  progress(currentPath: string): void {
    const { files, directories, bytes, bytesFetched } = this;
    this.#onProgress?.({ phase: 'restore', files, directories, bytes, bytesFetched, currentPath });
  }

  differ(path: string, differences: readonly AttributeDifference[]): void {
    for (const { attribute, expected, found } of differences) {
      if (this.differences.length >= DIFFERENCES_MAX) this.differencesOmitted++;
      else this.differences.push({ path, attribute, expected, found });
    }
  }

  /** Notes how a step went; false when the entry is not there. */
  outcome(path: string, { differences, failure }: StepOutcome): boolean {
    this.differ(path, differences);
    if (failure) this.#absent(path, failure);
    return failure === undefined;
  }

  /**
   * Notes an entry that cannot be restored because of what is stored.
   * @throws `error` itself when it is no damage
   */
  damage(path: string, error: unknown): void {
    if (!isDamage(error)) throw error;
    this.damagedCount++;
    this.#firstDamage ??= { path, error };
    this.#absent(path, error);
  }

  #absent(path: string, { code, message }: Pick<SerializedError, 'code' | 'message'>): void {
    this.differ(path, [{ attribute: 'entry', expected: 'restored', found: `${code}: ${message}` }]);
  }

  /** @throws the code of the first damage when there was any */
  throwIfDamaged(target: string): void {
    if (!this.#firstDamage) return;
    const { path, error } = this.#firstDamage;
    const others = this.damagedCount > 1 ? ` and ${this.damagedCount - 1} others` : '';
    const text = `restoring ${JSON.stringify(path)}${others} to ${target} failed: ${error.message}`;
    throw new EngineError(error.code, `${text}; everything else was restored`, {
      cause: error,
      details: { ...error.details, differences: this.differences.slice(0, 100) },
    });
  }
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
