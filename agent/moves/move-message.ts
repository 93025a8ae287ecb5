// What a user reads in `status.message`, which is all that `velero backup describe` and the
// backup's log show of a move that went wrong. The cause comes first; file names in it may be
// anything.

import { EngineError, messageOf } from '#engine/base/errors.ts';
import type { CancelReason } from './phase-machine.ts';
import type { BackupResult, RestoreResult } from './volume-mover.ts';

const MESSAGE_BYTES_MAX = 1000;

/**
 * C0 and C1 controls, and what turns a line around: a name must not rewrite somebody's terminal.
 */
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** One line of at most 1000 bytes of UTF-8; what is cut off ends in an ellipsis. */
export function messageLine(text: string): string {
  const line = text.replace(UNPRINTABLE, escapeCharacter);
  const bytes = Buffer.from(line);
  if (bytes.length <= MESSAGE_BYTES_MAX) return line;
  let end = MESSAGE_BYTES_MAX - Buffer.byteLength('…');
  // Not within a character: its later bytes are 10xxxxxx.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}…`;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** `cause (CODE)`; docs/errors.md has a paragraph for each code. */
export function failureMessage(error: unknown): string {
  const code = error instanceof EngineError ? error.code : 'INTERNAL';
  const suffix = ` (${code})`;
  const cause = messageLine(messageOf(error));
  return Buffer.byteLength(cause + suffix) <= MESSAGE_BYTES_MAX ? cause + suffix : cause;
}

const CODE = / \(([A-Z][A-Z0-9_]+)\)$/;

/** The code with which a failureMessage() ends, '' where there is none. */
export function codeIn(message: string): string {
  return CODE.exec(message)?.[1] ?? '';
}

/** Undefined when all is as it should be. */
export function backupMessage(result: BackupResult): string | undefined {
  const { skippedCount, skippedDirectoryCount: directoryCount, skipped } = result;
  if (skippedCount === 0) return result.isEmpty ? 'the volume was empty' : undefined;
  const fileCount = skippedCount - directoryCount;
  const files = fileCount === 1 ? 'one file was' : `${fileCount} files were`;
  if (directoryCount === 0) return listing(`${files} not backed up`, skipped, skippedCount);
  const directories =
    directoryCount === 1
      ? 'a whole directory was not backed up'
      : `${directoryCount} whole directories were not backed up`;
  const others = fileCount === 0 ? '' : `, and ${files} not`;
  return listing(`${directories}${others}`, skipped, skippedCount);
}

/** What is missing comes before what is there and differs. */
export function restoreMessage(result: RestoreResult): string | undefined {
  const { missingCount, missing, differenceCount, differences } = result;
  const differing = differenceCount === 1 ? 'one difference' : `${differenceCount} differences`;
  const what = listing(`restored with ${differing}`, differences, differenceCount);
  if (missingCount === 0) return differenceCount === 0 ? undefined : what;
  const entries = missingCount === 1 ? 'one entry is' : `${missingCount} entries are`;
  const absent = listing(`${entries} missing`, missing, missingCount);
  return messageLine(differenceCount === 0 ? absent : `${absent}; ${what}`);
}

function listing(what: string, examples: readonly string[], count: number): string {
  const restCount = count - examples.length;
  const rest = restCount > 0 && examples.length > 0 ? `, and ${restCount} more` : '';
  return messageLine(examples.length > 0 ? `${what}: ${examples.join('; ')}${rest}` : what);
}

const CANCELLED: Readonly<Record<CancelReason, string>> = Object.freeze({
  none: 'cancelled',
  requested: 'cancelled, because spec.cancel was set',
  'server-restart': 'cancelled, because the Velero server was restarted',
  deletion: 'cancelled, because the object is being deleted',
});

/** `isHidden`: it is reported as Failed, where the server does not take Canceled for an end. */
export function cancelMessage(reason: CancelReason, isHidden: boolean): string {
  const why = isHidden
    ? '; shown as Failed, because this Velero server would wait for one that is Canceled'
    : '';
  return CANCELLED[reason] + why;
}
