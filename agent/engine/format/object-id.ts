// Names of objects: `I` once for each level of chunk lists, `Z` when the content holds a compressed
// stream (only index version 1 repositories), then a content id (kopia repo/object/objectid.go).

import { EngineError } from '#engine/base/errors.ts';
import { DIRECTORY_PREFIX, isContentId, prefixOf } from './content-id.ts';

/** Lists of lists of lists of chunks; 2 levels of 128 KiB lists reach terabytes. */
export const INDIRECTION_MAX = 16;

export interface ObjectId {
  /** 0: the content is the object. n: it is a list of n levels. */
  readonly indirection: number;
  /** Whether the content is a compression header and stream; never together with indirection. */
  readonly isCompressed: boolean;
  /** Lower case. */
  readonly contentId: string;
}

const PATTERN = /^(I*)(Z?)D?([^IZD].*)$/;
const CANONICAL = /^(?:I{0,16}|Z)[g-z]?(?:[0-9a-f]{2}){1,32}$/;

/** A letter D before the content id is what very old versions wrote; it means nothing. */
export function parseObjectId(text: string): ObjectId {
  const [, levels, compressed, content] = PATTERN.exec(text) ?? [];
  if (levels === undefined || content === undefined) throw invalid(text);
  const indirection = levels.length;
  const isCompressed = compressed === 'Z';
  if (indirection > INDIRECTION_MAX || (indirection > 0 && isCompressed)) throw invalid(text);
  if (!isContentId(content)) throw invalid(text);
  return { indirection, isCompressed, contentId: content.toLowerCase() };
}

/** Whether `text` names an object. */
export function isObjectId(text: string): boolean {
  if (CANONICAL.test(text)) return true;
  try {
    parseObjectId(text);
    return true;
  } catch {
    return false;
  }
}

export function formatObjectId(id: ObjectId): string {
  return 'I'.repeat(id.indirection) + (id.isCompressed ? 'Z' : '') + id.contentId;
}

/** The object whose chunk list is the object `list`. */
export function indirectObjectId(list: ObjectId): ObjectId {
  return { ...list, indirection: list.indirection + 1 };
}

/** The object that is the chunk list of `id`; undefined when `id` is a single content. */
export function listOf(id: ObjectId): ObjectId | undefined {
  return id.indirection === 0 ? undefined : { ...id, indirection: id.indirection - 1 };
}

/** Whether an object is a directory, as stock kopia tells from a bare id. */
export function isDirectoryObject(id: ObjectId): boolean {
  return prefixOf(id.contentId) === DIRECTORY_PREFIX;
}

function invalid(text: string): EngineError {
  return new EngineError(
    'OBJECT_ID_INVALID',
    `"${text.slice(0, 80)}" is no object id: expected letters I or one Z, and a content id`,
  );
}
