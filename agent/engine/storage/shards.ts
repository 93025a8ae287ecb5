// How kopia spreads blobs over directories: a `.shards` file in the root says how many characters
// of an id become directory names (kopia v0.23 repo/blob/sharded/sharded_parameters.go, and
// kopia-format.md 1.4). Pure: text in, paths out. The file is authoritative; who changes the
// layout of a storage that holds blobs loses them.

import { EngineError, messageOf } from '#engine/base/errors.ts';
import { isBlobId } from './blob-id.ts';

export const SHARDS_FILE = '.shards';
export const BLOB_SUFFIX = '.f';

/** What a new storage gets. */
export const SHARDS_NEW: readonly number[] = Object.freeze([1, 3]);
/** What a storage without a `.shards` file was written with. */
export const SHARDS_LEGACY: readonly number[] = Object.freeze([3, 3]);
const UNSHARDED_LENGTH = 20;
const DEPTH_MAX = 16;

export interface ShardLayout {
  readonly shards: readonly number[];
  /** Ids of up to this many characters lie in the root. */
  readonly unshardedLength: number;
  /** The first whose prefix matches replaces `shards`. */
  readonly overrides: readonly { readonly prefix: string; readonly shards: readonly number[] }[];
}

export interface BlobPlace {
  /** Names of the directories from the root to the file. */
  readonly directories: readonly string[];
  /** Name of the file, with its suffix. */
  readonly file: string;
}

export function shardLayout(shards: readonly number[]): ShardLayout {
  return { shards, unshardedLength: UNSHARDED_LENGTH, overrides: [] };
}

/** @throws STORAGE_BLOB_ID_INVALID an id whose shard would be `.` or `..` would leave its place */
export function placeOf(layout: ShardLayout, id: string): BlobPlace {
  const place = cut(layout, id);
  if (isClimbing(place)) {
    throw new EngineError(
      'STORAGE_BLOB_ID_INVALID',
      `blob id ${JSON.stringify(id)} cannot be stored in directories, because a part of it is ` +
        '"." or ".."',
    );
  }
  return place;
}

function cut(layout: ShardLayout, id: string): BlobPlace {
  const directories: string[] = [];
  let rest = id;
  if (id.length > layout.unshardedLength) {
    const override = layout.overrides.find(({ prefix }) => id.startsWith(prefix));
    for (const size of (override ?? layout).shards) {
      if (rest.length <= size) break;
      directories.push(rest.slice(0, size));
      rest = rest.slice(size);
    }
  }
  return { directories, file: rest + BLOB_SUFFIX };
}

function isClimbing(place: BlobPlace): boolean {
  return place.directories.some(name => name === '.' || name === '..');
}

/** Whether a directory of this name, that many levels below the root, may be a shard. */
export function isShardName(layout: ShardLayout, depth: number, name: string): boolean {
  const all = [layout, ...layout.overrides];
  return all.some(({ shards }) => shards[depth] === name.length) && isBlobId(`x${name}`);
}

/** The id of the file, or undefined when no blob has its place there. */
export function idOfPlace(
  layout: ShardLayout,
  directories: readonly string[],
  file: string,
): string | undefined {
  if (!file.endsWith(BLOB_SUFFIX)) return undefined;
  const id = directories.join('') + file.slice(0, -BLOB_SUFFIX.length);
  if (!isBlobId(id)) return undefined;
  // A file in the wrong directory cannot be read by its id, so it is no blob.
  const place = cut(layout, id);
  const isThere = place.directories.every((name, index) => name === directories[index]);
  const isSameDepth = place.directories.length === directories.length;
  return isThere && isSameDepth && !isClimbing(place) ? id : undefined;
}

/**
 * @throws STORAGE_FAILED when the text says nothing that kopia could have meant
 */
export function parseShards(text: string, path: string): ShardLayout {
  try {
    // The shape is checked field by field below.
    const value = JSON.parse(text) as Record<string, unknown> | null;
    if (value === null || typeof value !== 'object') throw new TypeError('not an object');
    const unshardedLength = value.maxNonShardedLength ?? 0;
    if (typeof unshardedLength !== 'number' || !Number.isSafeInteger(unshardedLength)) {
      throw new TypeError('maxNonShardedLength is not a whole number');
    }
    const shards = parseSizes(value.default);
    return { shards, unshardedLength, overrides: parseOverrides(value.overrides) };
  } catch (error) {
    throw new EngineError(
      'STORAGE_FAILED',
      `cannot understand the shard layout in ${path}: ${messageOf(error)}; restore the file ` +
        `(kopia's own is {"default":[1,3],"maxNonShardedLength":20})`,
      { cause: error },
    );
  }
}

/** The text of a `.shards` file, as kopia writes it. */
export function formatShards(layout: ShardLayout): string {
  const { shards, unshardedLength, overrides } = layout;
  const value: Record<string, unknown> = { default: shards, maxNonShardedLength: unshardedLength };
  if (overrides.length > 0) value.overrides = overrides;
  return `${JSON.stringify(value)}\n`;
}

function parseOverrides(value: unknown): ShardLayout['overrides'] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new TypeError('overrides is not a list');
  return value.map((item: unknown) => {
    // The shape is checked field by field below.
    const { prefix = '', shards } = (item ?? {}) as Record<string, unknown>;
    if (typeof prefix !== 'string') throw new TypeError('a prefix is not a string');
    return { prefix, shards: parseSizes(shards) };
  });
}

function parseSizes(value: unknown): readonly number[] {
  // Go writes a list that was never filled as null.
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > DEPTH_MAX) {
    throw new TypeError(`shards are not a list of at most ${DEPTH_MAX} sizes`);
  }
  return value.map((size: unknown) => {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1 || size > 255) {
      throw new TypeError(`shard size ${JSON.stringify(size)} is not between 1 and 255`);
    }
    return size;
  });
}
