// What a system error on the target means: the end of the restore, or one entry that cannot be had.

import { EngineError, messageOf, serializeError, systemCodeOf } from '#engine/base/errors.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import type { StepOutcome } from './target-tasks.ts';

/** The name or the kind is what this file system refuses; the next entry may be fine. */
const OF_ONE_ENTRY = new Set([
  'EEXIST',
  'EISDIR',
  'ENOTDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EINVAL',
  'EILSEQ',
  'ENOENT',
  'ENOTEMPTY',
  'EACCES',
  'EPERM',
  'EFBIG',
  'ERR_INVALID_ARG_VALUE',
]);

const CODES: Readonly<Record<string, ErrorCode | undefined>> = Object.freeze({
  ENOSPC: 'TARGET_FULL',
  EDQUOT: 'TARGET_FULL',
  ELOOP: 'TARGET_NAME_UNSAFE',
  ENOTDIR: 'TARGET_NAME_UNSAFE',
  EEXIST: 'TARGET_NOT_EMPTY',
  EISDIR: 'TARGET_NOT_EMPTY',
  ENOTEMPTY: 'TARGET_NOT_EMPTY',
});

const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = Object.freeze({
  TARGET_FULL: 'make room there and restore again',
  TARGET_NAME_UNSAFE: 'something else changes the target during the restore; stop it and try again',
  TARGET_NOT_EMPTY: 'the name is taken; restore to an empty directory or allow overwriting',
});

/** The EngineError for a failure of `action` on `what` in the target. */
export function targetError(error: unknown, action: string, what: string): EngineError {
  if (error instanceof EngineError) return error;
  const code = CODES[systemCodeOf(error) ?? ''] ?? 'TARGET_NOT_WRITABLE';
  const advice = ADVICE[code] ?? 'check the rights, the mount and the health of the file system';
  const text = `${action} ${JSON.stringify(what)} failed: ${messageOf(error)}; ${advice}`;
  return new EngineError(code, text, { cause: error, details: { system: systemCodeOf(error) } });
}

/**
 * The outcome of a step whose entry alone failed.
 * @throws TARGET_FULL, TARGET_NOT_WRITABLE when the target as a whole is at fault
 */
export function entryFailure(error: unknown, action: string, name: string): StepOutcome {
  const failure = targetError(error, action, name);
  const isOfOneEntry = error instanceof EngineError || OF_ONE_ENTRY.has(systemCodeOf(error) ?? '');
  if (!isOfOneEntry) throw failure;
  return { differences: [], failure: serializeError(failure) };
}
