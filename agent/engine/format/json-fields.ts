// Takes typed fields out of parsed JSON by the rules of Go's encoding/json: names match whatever
// their case, the last of several wins, null and absence are the zero value, a wrong type is an
// error. What nobody took is handed back, so that it can be written again.

import { EngineError } from '#engine/base/errors.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { parseTimestamp } from '#engine/base/timestamp.ts';
import { parseExactJson, type Integer } from './exact-json.ts';

/** Fields that this version does not know, by name, in the order in which they stood. */
export type ExtraFields = Readonly<Record<string, unknown>>;

/** Makes the error for a document that cannot be understood, from what is wrong with it. */
export type Fail = (problem: string, cause?: unknown) => EngineError;

/** A Fail whose errors have `code` and say which document it was and what to do. */
export function failing(code: ErrorCode, document: string, advice: string): Fail {
  return (problem, cause) =>
    new EngineError(code, `cannot read ${document}: ${problem}; ${advice}`, { cause });
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const INT64_MAX = 2n ** 63n - 1n;

export class JsonFields {
  readonly #fail: Fail;
  #members: [name: string, value: unknown][];

  /** @throws what `fail` makes when `value` is not an object */
  constructor(value: unknown, fail: Fail) {
    if (!isJsonObject(value)) throw fail('it is not a JSON object');
    this.#fail = fail;
    this.#members = Object.entries(value);
  }

  /** @throws what `fail` makes when `text` is not a JSON object */
  static parse(text: string, fail: Fail): JsonFields {
    return new JsonFields(parseDocument(text, fail), fail);
  }

  /** The value of a field, undefined when absent or null; it no longer counts as extra. */
  take(name: string): unknown {
    const folded = name.toLowerCase();
    let found: unknown;
    this.#members = this.#members.filter(([member, value]) => {
      if (member !== name && member.toLowerCase() !== folded) return true;
      found = value ?? undefined;
      return false;
    });
    return found;
  }

  text(name: string): string {
    return this.#typed(name, '', 'a string', value => typeof value === 'string');
  }

  boolean(name: string): boolean {
    return this.#typed(name, false, 'a boolean', value => typeof value === 'boolean');
  }

  /** An int64. */
  integer(name: string): Integer {
    return this.#typed<Integer>(name, 0, 'a 64-bit integer', isInt64);
  }

  /** An integer from `min` to `max`. */
  number(name: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
    const within = (value: unknown): value is number =>
      typeof value === 'number' && value >= min && value <= max;
    return this.#typed(name, 0, `an integer from ${min} to ${max}`, within);
  }

  /** Nanoseconds of a Go time.Duration. */
  durationNs(name: string): bigint {
    return BigInt(this.integer(name));
  }

  /** Nanoseconds since 1970, undefined when absent. */
  timestampNs(name: string): bigint | undefined {
    const text = this.take(name);
    if (text === undefined) return undefined;
    const nanoseconds = typeof text === 'string' ? parseTimestamp(text) : undefined;
    if (nanoseconds === undefined) throw this.#fail(`field ${name} is not an RFC 3339 time`);
    return nanoseconds;
  }

  /** Bytes in base64. */
  bytes(name: string): Uint8Array {
    const text = this.text(name);
    if (!BASE64.test(text)) throw this.#fail(`field ${name} is not base64`);
    return new Uint8Array(Buffer.from(text, 'base64'));
  }

  /** A nested object, undefined when absent. */
  fields(name: string): JsonFields | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    return new JsonFields(value, (problem, cause) =>
      this.#fail(`field ${name}: ${problem}`, cause),
    );
  }

  list(name: string): readonly unknown[] {
    return this.#typed<readonly unknown[]>(name, [], 'a list', value => Array.isArray(value));
  }

  texts(name: string): string[] {
    return this.list(name).map(value => {
      if (typeof value !== 'string') throw this.#fail(`field ${name} holds more than strings`);
      return value;
    });
  }

  /** A map of strings. */
  textMap(name: string): Record<string, string> {
    const value = this.take(name) ?? {};
    if (!isJsonObject(value)) throw this.#fail(`field ${name} is not an object`);
    const pairs = Object.entries(value).map(([key, text]): [string, string] => {
      if (text !== null && typeof text !== 'string') {
        throw this.#fail(`field ${name} holds more than strings`);
      }
      return [key, text ?? ''];
    });
    return Object.fromEntries(pairs);
  }

  /** What has not been taken, undefined when there is nothing. Call it last. */
  extra(): ExtraFields | undefined {
    return this.#members.length === 0 ? undefined : Object.fromEntries(this.#members);
  }

  #typed<Value>(
    name: string,
    zero: Value,
    expected: string,
    fits: (value: unknown) => boolean,
  ): Value {
    const value = this.take(name);
    if (value === undefined) return zero;
    if (!fits(value)) throw this.#fail(`field ${name} is not ${expected}`);
    // `fits` has just established it.
    return value as Value;
  }
}

export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRaw(value);
}

/** An integer that Go reads into an int64 field. */
export function isInt64(value: unknown): value is Integer {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  return typeof value === 'bigint' && value <= INT64_MAX && value >= -INT64_MAX - 1n;
}

/** parseExactJson with the errors of `fail`. */
export function parseDocument(text: string, fail: Fail): unknown {
  try {
    return parseExactJson(text);
  } catch (cause) {
    throw fail('it is not JSON', cause);
  }
}

/** The text of a document. Invalid UTF-8 becomes U+FFFD, as in Go. */
export function documentText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** The bytes of a document. */
export function documentBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf8'));
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** `value`, or undefined where Go's omitempty leaves a field out. */
export function unlessEmpty<Value>(value: Value): Value | undefined {
  const isEmpty = value === '' || value === 0 || value === 0n || value === false;
  return isEmpty || (Array.isArray(value) && value.length === 0) ? undefined : value;
}

/** A map with its keys in the order in which Go writes them; undefined when it is empty. */
export function sortedMap(
  map: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
  const pairs = Object.entries(map).sort(([a], [b]) => Buffer.compare(utf8(a), utf8(b)));
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

function utf8(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

// Numbers that are not integers are objects made by JSON.rawJSON (see exact-json.ts).
function isRaw(value: object): boolean {
  return (JSON as unknown as { isRawJSON: (value: unknown) => boolean }).isRawJSON(value);
}
