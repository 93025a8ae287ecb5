// What one task of a restore has done and what it has to say about it.

import { type EngineError, serializeError } from '#engine/base/errors.ts';
import type { AttributeDifference } from '#engine/snapshot/target/wanted-attributes.ts';
import type { RowProblem, WorkOutcome } from './restore-tasks.ts';

export class WorkTally {
  files = 0;
  bytes = 0;
  readonly #isDirectory: boolean;
  readonly #problems: RowProblem[] = [];

  constructor({ isDirectory = false }: { readonly isDirectory?: boolean } = {}) {
    this.#isDirectory = isDirectory;
  }

  differ(row: number, differences: readonly AttributeDifference[]): void {
    if (differences.length === 0) return;
    this.#problems.push({ row, isDirectory: this.#isDirectory, differences });
  }

  /** The entry is not there. */
  failure(row: number, error: EngineError): void {
    const failure = serializeError(error);
    this.#problems.push({ row, isDirectory: this.#isDirectory, differences: [], failure });
  }

  /** The entry's content cannot be had. */
  damage(row: number, error: EngineError): void {
    const failure = serializeError(error);
    const problem = { row, isDirectory: this.#isDirectory, differences: [], failure };
    this.#problems.push({ ...problem, isDamage: true });
  }

  outcome(): WorkOutcome {
    return { files: this.files, bytes: this.bytes, problems: this.#problems };
  }
}
