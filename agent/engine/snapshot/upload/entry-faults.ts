// What can be wrong with an entry that is being stored.

import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { entryTypeName } from '#engine/snapshot/source/source-stat.ts';
import type { TotalsBuilder } from './part-totals.ts';
import type { SkippedEntry } from './upload-tasks.ts';

/** So many are in the message; the details have more. */
const FAILED_NAMED_MAX = 3;

/** What shows that something was written. */
export interface Times {
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
}

/** Whether a file was left alone between two looks. */
export function isSteady(
  before: Times & { readonly size: number },
  after: Times & { readonly size: number },
): boolean {
  return (
    before.size === after.size &&
    before.mtimeNanoseconds === after.mtimeNanoseconds &&
    before.mtimeSeconds === after.mtimeSeconds &&
    before.ctimeNanoseconds === after.ctimeNanoseconds &&
    before.ctimeSeconds === after.ctimeSeconds
  );
}

export function changedWhileRead(path: string, expectedBytes: number, bytes: number): SkippedEntry {
  const message =
    `${path} was written to while it was read (${expectedBytes} bytes before, ${bytes} ` +
    'read); what is stored may mix old and new, back it up again or freeze the writer';
  return { path, code: 'SOURCE_CHANGED', message };
}

export function stopped(): EngineError {
  return new EngineError('ABORTED', 'the operation was cancelled');
}

export function isSourceError(error: unknown): error is EngineError {
  return isEngineError(
    error,
    'SOURCE_VANISHED',
    'SOURCE_CHANGED',
    'SOURCE_UNREADABLE',
    'SOURCE_TYPE_UNSUPPORTED',
    'SOURCE_TOO_LARGE',
  );
}

/** For `catch`: the error, if it is the source's. */
export function sourceError(error: unknown): EngineError {
  if (isSourceError(error)) return error;
  throw error;
}

export function unsupportedType(type: number, path: string): EngineError {
  return new EngineError(
    'SOURCE_TYPE_UNSUPPORTED',
    `${path} is a ${entryTypeName(type)}, which is not stored`,
  );
}

/** Where nothing may be missing and something is. */
export function sourceIncomplete(
  totals: Pick<TotalsBuilder, 'failedCount' | 'failedEntries'>,
): EngineError {
  const failed = totals.failedEntries;
  const named = failed.slice(0, FAILED_NAMED_MAX).map(({ path, error }) => `${path}: ${error}`);
  const count = totals.failedCount === 1 ? 'an entry' : `${totals.failedCount} entries or more`;
  return new EngineError(
    'SOURCE_INCOMPLETE',
    `${count} could not be stored, so nothing is: ${named.join('; ')}`,
    { details: { failed, failedCount: totals.failedCount } },
  );
}
