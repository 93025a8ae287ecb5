// Looks at single fields of what came over the wire. Types say what the generator promised; these
// say what the protocol allows, and everything else is COORDINATOR_MESSAGE_INVALID. Values are not
// repeated in messages: whoever sent nonsense may have meant it for a log.

import { EngineError } from '#engine/base/errors.ts';
import { TEXT_CHARACTERS_MAX } from './wire-limits.ts';

/** Names of Kubernetes, label values and uids are all made of these. */
const PRINTABLE = /^[\x20-\x7e]*$/;

export function invalid(what: string): EngineError {
  return new EngineError('COORDINATOR_MESSAGE_INVALID', `a message is not as agreed: ${what}`);
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function requireText(value: string, name: string): string {
  if (value.length > TEXT_CHARACTERS_MAX) {
    throw invalid(`${name} has more than ${TEXT_CHARACTERS_MAX} characters`);
  }
  if (!PRINTABLE.test(value)) throw invalid(`${name} has characters that no name has`);
  return value;
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function requireName(value: string, name: string): string {
  if (value === '') throw invalid(`${name} is empty`);
  return requireText(value, name);
}

/**
 * A whole number that JavaScript has exactly.
 * @throws COORDINATOR_MESSAGE_INVALID
 */
export function requireCount(value: number, name: string, most = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < 0 || value > most) {
    throw invalid(`${name} is not between 0 and ${most}`);
  }
  return value;
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function requireTime(value: number, name: string): number {
  if (!Number.isFinite(value)) throw invalid(`${name} is no time`);
  return value;
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function requireList<Item>(
  items: readonly Item[],
  name: string,
  most: number,
): readonly Item[] {
  if (items.length > most) throw invalid(`more than ${most} ${name}`);
  return items;
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function requirePart<Part>(part: Part | null | undefined, name: string): Part {
  if (part === null || part === undefined) throw invalid(`${name} is missing`);
  return part;
}
