// Which failures are about what is stored, so that the rest of a tree can still be had, and reading
// many contents in a way that one bad content costs only those who need it.

import { EngineError, isEngineError } from '#engine/base/errors.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import type { ContentReadOptions, ContentSource } from '#engine/content/content-source.ts';

const DAMAGE_CODES: readonly ErrorCode[] = Object.freeze([
  'CONTENT_NOT_FOUND',
  'CONTENT_DAMAGED',
  'CONTENT_ID_INVALID',
  'PACK_MISSING',
  'PACK_DAMAGED',
  'OBJECT_ID_INVALID',
  'OBJECT_DAMAGED',
  'DIRECTORY_DAMAGED',
  'SNAPSHOT_DAMAGED',
  'LIMIT_EXCEEDED',
]);

/** Whether `error` concerns one stored thing and not the storage, the target or the caller. */
export function isDamage(error: unknown): error is EngineError {
  return isEngineError(error, ...DAMAGE_CODES);
}

export interface ContentReceiver {
  /** `bytes` are lent until what it returns is done. */
  content(contentId: string, bytes: Uint8Array): void | Promise<void>;
  /** Called once for each content that cannot be had. */
  failure(contentId: string, error: EngineError): void;
}

/**
 * Reads each of `contentIds` once, in any order, as many as possible.
 * @throws whatever is not damage, and what the receiver throws
 */
export async function readEach(
  contents: ContentSource,
  contentIds: Iterable<string>,
  receiver: ContentReceiver,
  options: ContentReadOptions = {},
): Promise<void> {
  const missing = new Set(contentIds);
  const lending = { ...options, areLent: true };
  const reads = contents.readMany([...missing], lending)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await nextOrDamage(reads);
      if (next === undefined) break;
      missing.delete(next.contentId);
      await receiver.content(next.contentId, next.bytes);
    }
  } finally {
    await reads.return?.();
  }
  if (missing.size > 0) await readSingly(contents, missing, receiver, options);
}

/** Undefined at the end and where damage ends the reading. */
async function nextOrDamage<Item>(reads: AsyncIterator<Item>): Promise<Item | undefined> {
  try {
    const next = await reads.next();
    return next.done === true ? undefined : next.value;
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

async function readSingly(
  contents: ContentSource,
  contentIds: Iterable<string>,
  receiver: ContentReceiver,
  options: ContentReadOptions,
): Promise<void> {
  // Each vain read makes the index load again, so what is known to be gone is not asked for twice.
  const missingPacks = new Map<string, EngineError>();
  let isIndexFresh = false;
  for (const contentId of contentIds) {
    const packId = contents.find(contentId)?.packId;
    const known: EngineError | undefined =
      packId === undefined && isIndexFresh ? notFound(contentId) : missingPacks.get(packId ?? '');
    const result: Uint8Array | EngineError =
      known ?? (await readOrDamage(contents, contentId, options));
    if (!(result instanceof EngineError)) {
      await receiver.content(contentId, result);
      continue;
    }
    isIndexFresh ||= result.code === 'CONTENT_NOT_FOUND';
    if (result.code === 'PACK_MISSING' && packId !== undefined) missingPacks.set(packId, result);
    receiver.failure(contentId, result);
  }
}

async function readOrDamage(
  contents: ContentSource,
  contentId: string,
  options: ContentReadOptions,
): Promise<Uint8Array | EngineError> {
  try {
    return await contents.read(contentId, options);
  } catch (error) {
    if (isDamage(error)) return error;
    throw error;
  }
}

function notFound(contentId: string): EngineError {
  const text = `content ${contentId} is in no index of the repository; check the repository`;
  return new EngineError('CONTENT_NOT_FOUND', text, { details: { contentId } });
}
