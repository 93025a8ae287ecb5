// How a failure is shown: what went wrong in the engine's words, what to try from here, and the
// code to look up. The JSON form has no hint, since programs match on the code.

import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError, messageOf } from '#engine/base/errors.ts';
import { safeText } from './terminal-text.ts';

export interface ErrorDocument {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What the command line can add to the engine's message. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = Object.freeze({
  REPOSITORY_NOT_FOUND:
    "look at --repo for a typing error, or make a repository there with 'stevedore repo create'",
  REPOSITORY_EXISTS: "to use it, leave 'repo create' out; 'stevedore repo info' shows what it is",
  REPOSITORY_PASSWORD_WRONG:
    'look at --password-file or STEVEDORE_PASSWORD; a stray space or newline counts',
  SNAPSHOT_NOT_FOUND: "'stevedore snapshots' lists the ids; 'latest' stands for the newest",
  SNAPSHOT_AMBIGUOUS: "give more digits of the id; 'stevedore snapshots' lists them",
  SNAPSHOT_PATH_NOT_FOUND: "'stevedore ls ID' shows what is in the snapshot",
  STORAGE_ACCESS_DENIED: 'look at AWS_PROFILE or AWS_ACCESS_KEY_ID and at the bucket policy',
  STORAGE_UNAVAILABLE: 'look at the endpoint and the network, then run the same command again',
  STORAGE_TIMEOUT: 'look at the endpoint and the network, then run the same command again',
  STORAGE_FULL: 'make room and run the same command again; what is stored already is used',
  TARGET_NOT_EMPTY: 'name an empty directory, or say --overwrite never, if-different or always',
  TARGET_FULL: 'make room, then go on with --overwrite if-different',
  CONTENT_DAMAGED: "'stevedore repo check --read-data' lists everything that is damaged",
  PACK_DAMAGED: "'stevedore repo check --read-data' lists everything that is damaged",
  PACK_MISSING: "'stevedore repo check' lists everything that is missing",
  OUTPUT_NOT_WRITABLE: 'make room there, or send standard output somewhere else',
  USAGE: "'stevedore help' lists the commands, 'stevedore help COMMAND' explains one",
  INTERNAL: 'this is a fault in stevedore; please report it with the output of STEVEDORE_DEBUG=1',
});

export function errorDocument(error: unknown): ErrorDocument {
  if (error instanceof EngineError) {
    return { code: error.code, message: error.message, details: error.details };
  }
  return { code: 'INTERNAL', message: messageOf(error), details: {} };
}

/** Lines for standard error. */
export function errorText(
  error: unknown,
  { hasStack = false, hint: ownHint }: { hasStack?: boolean; hint?: string | undefined } = {},
): string {
  const { code, message } = errorDocument(error);
  const hint = ownHint ?? HINTS[code];
  const lines = [`stevedore: ${safeText(message)}`];
  if (error instanceof EngineError) lines.push(...listedIn(error.details));
  if (hint !== undefined) lines.push(`      try: ${hint}`);
  if (code !== 'USAGE') lines.push(`     code: ${code} (docs/errors.md)`);
  if (hasStack && error instanceof Error) lines.push(stackOf(error));
  return `${lines.join('\n')}\n`;
}

/** What a restore could not bring back stands in the details of the error that ends it. */
function listedIn({ differences }: EngineError['details']): string[] {
  if (!Array.isArray(differences)) return [];
  const rows = differences.filter(isDifference);
  const lines = rows.slice(0, LISTED_MAX).map(({ path, found }) => {
    return `           ${safeText(path)}: ${safeText(found)}`;
  });
  const more = rows.length - lines.length;
  return more > 0 ? [...lines, `           and ${more} more; -o json lists them`] : lines;
}

const LISTED_MAX = 20;

function isDifference(value: unknown): value is { path: string; found: string } {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'path' in value &&
    typeof value.path === 'string' &&
    'found' in value &&
    typeof value.found === 'string'
  );
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
