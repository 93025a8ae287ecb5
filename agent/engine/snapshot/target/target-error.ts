// What a system error on the target means: the end of the restore, or one entry that cannot be had.
// errno is translated here, once, where it enters.

import { constants } from 'node:os';

import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';

const NAMES = new Map([
  ...Object.entries(constants.errno).map(([name, number]) => [number, name] as const),
  // What node:os leaves out (asm-generic/errno.h).
  [108, 'ESHUTDOWN'],
  [112, 'EHOSTDOWN'],
  [117, 'EUCLEAN'],
  [121, 'EREMOTEIO'],
]);

// ELOOP and ENOTDIR mean that something else stands where a directory is expected: links are never
// followed. All that has no row is the fault of the entry at hand, and the next may be fine.
const CODES = new Map<string, ErrorCode>([
  ['ENOSPC', 'TARGET_FULL'],
  ['EDQUOT', 'TARGET_FULL'],
  ['EROFS', 'TARGET_NOT_WRITABLE'],
  ['EIO', 'TARGET_NOT_WRITABLE'],
  ['ESTALE', 'TARGET_NOT_WRITABLE'],
  ['ENODEV', 'TARGET_NOT_WRITABLE'],
  ['ENOTCONN', 'TARGET_NOT_WRITABLE'],
  ['ESHUTDOWN', 'TARGET_NOT_WRITABLE'],
  ['EHOSTDOWN', 'TARGET_NOT_WRITABLE'],
  ['ETIMEDOUT', 'TARGET_NOT_WRITABLE'],
  ['EREMOTEIO', 'TARGET_NOT_WRITABLE'],
  ['EUCLEAN', 'TARGET_NOT_WRITABLE'],
  ['EMFILE', 'LIMIT_EXCEEDED'],
  ['ENFILE', 'LIMIT_EXCEEDED'],
  ['ENOMEM', 'LIMIT_EXCEEDED'],
  ['EBADF', 'INTERNAL'],
  ['EFAULT', 'INTERNAL'],
  ['ELOOP', 'TARGET_NAME_UNSAFE'],
  ['ENOTDIR', 'TARGET_NAME_UNSAFE'],
  ['EEXIST', 'TARGET_NOT_EMPTY'],
  ['EISDIR', 'TARGET_NOT_EMPTY'],
  ['ENOTEMPTY', 'TARGET_NOT_EMPTY'],
]);

const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = Object.freeze({
  TARGET_FULL: 'make room there and restore again',
  TARGET_NOT_WRITABLE: 'check the mount and the health of the file system',
  TARGET_NAME_UNSAFE: 'a link stands in the way, or the target is changed during the restore',
  TARGET_NOT_EMPTY: 'the name is taken; restore to an empty directory or allow overwriting',
  TARGET_ENTRY_FAILED: 'this entry cannot be had; check rights and what the file system supports',
  LIMIT_EXCEEDED: 'the process is out of descriptors or memory; raise its limits',
  INTERNAL: 'report this',
});

const OF_ONE_ENTRY = [
  'TARGET_ENTRY_FAILED',
  'TARGET_ENTRY_REFUSED',
  'TARGET_NAME_UNSAFE',
  'TARGET_NOT_EMPTY',
] as const satisfies readonly ErrorCode[];

/** Whether a failure is one entry's alone, so that the restore goes on and names it. */
export function isOfOneEntry(error: unknown): error is EngineError {
  return isEngineError(error, ...OF_ONE_ENTRY);
}

/** `EACCES` for 13. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/** Whether nothing more can be done on the target as a whole. `errno` is above zero. */
export function endsRestore(errno: number): boolean {
  const code = CODES.get(errnoName(errno));
  return code !== undefined && !OF_ONE_ENTRY.some(other => other === code);
}

export interface TargetErrorOptions {
  /** What was attempted: `create`, `write`, … */
  readonly attempt: string;
  readonly path: Uint8Array;
  /** As the system numbers it, above zero. */
  readonly errno: number;
}

/**
 * The error for a failed call. TARGET_FULL, TARGET_NOT_WRITABLE, LIMIT_EXCEEDED and INTERNAL end a
 * restore; the others are one entry's (isOfOneEntry).
 */
export function targetError({ attempt, path, errno }: TargetErrorOptions): EngineError {
  const name = errnoName(errno);
  const code = CODES.get(name) ?? 'TARGET_ENTRY_FAILED';
  const shown = printablePath(path);
  return new EngineError(code, `cannot ${attempt} ${shown}: ${name}; ${ADVICE[code]}`, {
    details: { path: shown, errno: name },
  });
}
