// JSON that can be written again without losing a digit, and the spans of its members.
//
// Documents of a repository are rewritten by clients that know only some of their fields, so what
// is not understood is carried along exactly as it stood: integers of any length, and fractions and
// exponents, which Go refuses in integer fields (kopia-format.md appendix A).

/** An integer of JSON: a number where a double holds it exactly, a bigint elsewhere. */
export type Integer = number | bigint;

const INTEGER = /^-?\d+$/;

// JSON.rawJSON exists in Node 24; TypeScript 5.9 does not know it yet.
const rawJson = (JSON as unknown as { rawJSON: (this: void, text: string) => unknown }).rawJSON;

function exactValue(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined) return value;
  if (!INTEGER.test(source)) return rawJson(source);
  return Number.isSafeInteger(value) ? value : BigInt(source);
}

/**
 * Parses JSON. Integers come back as number or bigint; every other number as an opaque object that
 * goJson writes as it stood and that no field of an integer type accepts.
 * @throws SyntaxError when the text is not JSON
 */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, exactValue);
}

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const SPACE_MAX = 32;
const OPEN = new Set([91, 123]);
const CLOSE = new Set([93, 125]);

function skipSpace(text: string, position: number): number {
  while (text.charCodeAt(position) <= SPACE_MAX) position++;
  return position;
}

function skipString(text: string, position: number): number {
  for (position++; text.charCodeAt(position) !== QUOTE; position++) {
    if (text.charCodeAt(position) === BACKSLASH) position++;
  }
  return position + 1;
}

/** The position behind the value that begins at `position`. */
function skipValue(text: string, position: number): number {
  let depth = 0;
  while (position < text.length) {
    const code = text.charCodeAt(position);
    if (code === QUOTE) {
      position = skipString(text, position);
      if (depth === 0) return position;
      continue;
    }
    if (depth === 0 && (code === COMMA || CLOSE.has(code) || code <= SPACE_MAX)) return position;
    if (OPEN.has(code)) depth++;
    position++;
    if (CLOSE.has(code) && --depth === 0) return position;
  }
  return position;
}

/** The texts of the elements of a JSON array. `text` must have been parsed before. */
export function jsonElements(text: string): string[] {
  const elements: string[] = [];
  let position = skipSpace(text, skipSpace(text, 0) + 1);
  while (!CLOSE.has(text.charCodeAt(position)) && position < text.length) {
    const end = skipValue(text, position);
    elements.push(text.slice(position, end));
    position = skipSpace(text, end);
    if (text.charCodeAt(position) === COMMA) position = skipSpace(text, position + 1);
  }
  return elements;
}

/** Names and value texts of the members of a JSON object, in order. Parsed before, as above. */
export function jsonMembers(text: string): [name: string, value: string][] {
  const members: [string, string][] = [];
  let position = skipSpace(text, skipSpace(text, 0) + 1);
  while (!CLOSE.has(text.charCodeAt(position)) && position < text.length) {
    const nameEnd = skipString(text, position);
    // A string literal parses to a string.
    const name = JSON.parse(text.slice(position, nameEnd)) as string;
    const valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const valueEnd = skipValue(text, valueStart);
    members.push([name, text.slice(valueStart, valueEnd)]);
    position = skipSpace(text, valueEnd);
    if (text.charCodeAt(position) === COMMA) position = skipSpace(text, position + 1);
  }
  return members;
}
