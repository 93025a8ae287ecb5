// The list of chunks of an object that has more than one (kopia repo/object/indirect.go). It is an
// object itself, stored under the object's prefix or x, and gives the object's id one more I.

import { documentBytes, documentText, failing, JsonFields, type Fail } from './json-fields.ts';
import { isObjectId } from './object-id.ts';

const STREAM = 'kopia:indirect';

export interface IndirectEntry {
  /** Offset of the chunk within the object, in bytes. */
  readonly start: number;
  readonly length: number;
  /** Id of the chunk; itself indirect where lists were concatenated. */
  readonly objectId: string;
}

/**
 * The bytes of a list, exactly as kopia writes them.
 * @throws OBJECT_DAMAGED when the entries do not follow one another from offset 0
 */
export function encodeIndirect(entries: readonly IndirectEntry[]): Uint8Array {
  checkEntries(entries, failure('a chunk list to be written'));
  // A terabyte has a quarter of a million chunks: no text of all of them.
  const pieces: Uint8Array[] = [];
  for (let first = 0; first < entries.length; first += ENTRIES_A_PIECE) {
    const texts = entries
      .slice(first, first + ENTRIES_A_PIECE)
      .map(entryText)
      .join(',');
    const isLast = first + ENTRIES_A_PIECE >= entries.length;
    const head = first === 0 ? `{"stream":"${STREAM}","entries":[` : '';
    pieces.push(documentBytes(`${head}${texts}${isLast ? ']}\n' : ','}`));
  }
  return pieces.length === 1 ? pieces[0] : new Uint8Array(Buffer.concat(pieces));
}

const ENTRIES_A_PIECE = 4096;

function entryText({ start, length, objectId }: IndirectEntry): string {
  const startText = start === 0 ? '' : `"s":${start},`;
  const lengthText = length === 0 ? '' : `"l":${length},`;
  return `{${startText}${lengthText}"o":"${objectId}"}`;
}

/**
 * Stricter than kopia, which crashes on an empty list and believes offsets that overlap.
 * @param name what the list is called in messages, say its object id
 * @throws OBJECT_DAMAGED
 */
export function decodeIndirect(bytes: Uint8Array, name = 'a chunk list'): IndirectEntry[] {
  const fail = failure(name);
  const fields = JsonFields.parse(documentText(bytes), fail);
  if (fields.text('stream') !== STREAM) throw fail(`its stream is not ${STREAM}`);
  const entries = fields.list('entries').map(value => {
    const entry = new JsonFields(value, fail);
    return { start: entry.number('s'), length: entry.number('l'), objectId: entry.text('o') };
  });
  checkEntries(entries, fail);
  return entries;
}

/** Length of the object in bytes. */
export function indirectLength(entries: readonly IndirectEntry[]): number {
  const last = entries.at(-1);
  return last === undefined ? 0 : last.start + last.length;
}

function checkEntries(entries: readonly IndirectEntry[], fail: Fail): void {
  if (entries.length === 0) throw fail('it has no entries');
  let end = 0;
  entries.forEach(({ start, length, objectId }, index) => {
    if (start !== end) throw fail(`entry ${index} starts at ${start} instead of ${end}`);
    if (!isObjectId(objectId)) throw fail(`entry ${index} names no object`);
    end += length;
    if (length < 0 || !Number.isSafeInteger(end)) throw fail(`entry ${index} has an absurd length`);
  });
}

function failure(name: string): Fail {
  return failing('OBJECT_DAMAGED', name, 'the object cannot be read; use another snapshot');
}
