// Translates errno of the file system that is backed up, once, where it enters.

import { constants } from 'node:os';

import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError } from '#engine/base/errors.ts';

import { printablePath } from './source-name.ts';

const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** `EACCES` for 13. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

// ELOOP and ENOTDIR mean that something else stands where a file or directory was listed: we never
// follow links. Running out of descriptors or memory is not the fault of the file at hand.
const CODES = new Map<string, ErrorCode>([
  ['ENOENT', 'SOURCE_VANISHED'],
  ['ELOOP', 'SOURCE_CHANGED'],
  ['ENOTDIR', 'SOURCE_CHANGED'],
  ['EMFILE', 'LIMIT_EXCEEDED'],
  ['ENFILE', 'LIMIT_EXCEEDED'],
  ['ENOMEM', 'LIMIT_EXCEEDED'],
]);

const ADVICE = new Map<ErrorCode, string>([
  ['SOURCE_VANISHED', 'it vanished since its directory was listed'],
  ['SOURCE_CHANGED', 'something else has taken its place since its directory was listed'],
  ['LIMIT_EXCEEDED', 'the process is out of descriptors or memory; raise its limits'],
]);

/** What the control group of a container refuses, whatever the mode of the device is. */
const DEVICE_REFUSED = 'a container opens devices of its node only when it is privileged';

export interface SourceErrorOptions {
  /** What was attempted: `open`, `read`, `list`, … */
  readonly attempt: string;
  readonly path: Uint8Array;
  /** `ENOENT`, … */
  readonly errno: string;
  readonly cause?: unknown;
}

/**
 * The error for a failed call: SOURCE_VANISHED, SOURCE_CHANGED, LIMIT_EXCEEDED, SOURCE_UNREADABLE.
 */
export function sourceError({ attempt, path, errno, cause }: SourceErrorOptions): EngineError {
  const code = CODES.get(errno) ?? 'SOURCE_UNREADABLE';
  const shown = printablePath(path);
  const isRefused = attempt === 'open device' && errno === 'EPERM';
  const usual = 'check its permissions and the health of its file system';
  const advice = isRefused ? DEVICE_REFUSED : (ADVICE.get(code) ?? usual);
  return new EngineError(code, `cannot ${attempt} ${shown}: ${errno}; ${advice}`, {
    details: { path: shown, errno },
    cause,
  });
}

/**
 * The error for a source root that cannot be opened; there a missing path is the caller's mistake.
 */
export function rootError(options: SourceErrorOptions): EngineError {
  const { errno, path, cause } = options;
  if (errno !== 'ENOENT' && errno !== 'ENOTDIR' && errno !== 'ELOOP') return sourceError(options);
  const shown = printablePath(path);
  const wrong = errno === 'ENOENT' ? 'does not exist' : 'is not a directory';
  return new EngineError('SOURCE_NOT_FOUND', `source ${shown} ${wrong}; name a directory`, {
    details: { path: shown, errno },
    cause,
  });
}

/** EINVAL from readlink says that the entry is no longer a link; other calls mean other things. */
export function linkError(path: Uint8Array, errno: string, cause?: unknown): EngineError {
  const known = errno === 'EINVAL' ? 'ELOOP' : errno;
  return sourceError({ attempt: 'read link', path, errno: known, cause });
}
