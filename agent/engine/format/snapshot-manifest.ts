// The document of a snapshot (kopia snapshot/manifest.go, manager.go, stats.go). Types are as
// strict as kopia's: a manifest that kopia cannot read is one whose data its maintenance deletes,
// so it must be an error here and not a guess. Unknown fields are kept at every level.

import { EngineError } from '#engine/base/errors.ts';
import { goJson } from '#engine/base/json.ts';
import { formatTimestamp } from '#engine/base/timestamp.ts';
import { decodeEntry } from './directory-decode.ts';
import { encodeEntry, type DirEntry } from './directory.ts';
import { parseExactJson } from './exact-json.ts';
import {
  failing,
  JsonFields,
  sortedMap,
  unlessEmpty,
  type ExtraFields,
  type Fail,
} from './json-fields.ts';
import { TYPE_LABEL, type Labels } from './manifest.ts';

export const SNAPSHOT_TYPE = 'snapshot';

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

export interface SnapshotSource {
  readonly host: string;
  readonly userName: string;
  readonly path: string;
}

/** What the run that made the snapshot did; not a description of the tree. */
export interface SnapshotStats {
  readonly totalBytes: number;
  readonly excludedTotalBytes: number;
  readonly fileCount: number;
  readonly cachedFileCount: number;
  readonly nonCachedFileCount: number;
  readonly directoryCount: number;
  readonly excludedFileCount: number;
  readonly excludedDirectoryCount: number;
  readonly ignoredErrorCount: number;
  readonly errorCount: number;
  readonly extra?: ExtraFields;
}

export interface SnapshotManifest {
  /** Id of the manifest; not stored in the document. */
  readonly id: string;
  readonly source: SnapshotSource;
  readonly description: string;
  readonly startTimeNs: bigint;
  readonly endTimeNs: bigint;
  readonly stats: SnapshotStats;
  /** `checkpoint`, `canceled`, `limit reached`; '' when the snapshot is complete. */
  readonly incomplete: string;
  readonly rootEntry?: DirEntry;
  readonly tags: Readonly<Record<string, string>>;
  /** Any pin keeps the snapshot from being deleted by retention. */
  readonly pins: readonly string[];
  readonly extra?: ExtraFields;
}

/**
 * The labels of a snapshot's manifest: its source and all its tags.
 * @throws USAGE when the source is incomplete or a tag has the name of a label
 */
export function snapshotLabels({ source, tags }: SnapshotManifest): Labels {
  const { host, userName, path } = source;
  if (host === '' || userName === '' || path === '') {
    throw new EngineError('USAGE', 'a snapshot needs a user, a host and a path as its source');
  }
  const labels = sourceLabels(source);
  for (const tag of Object.keys(tags)) {
    if (!Object.hasOwn(labels, tag)) continue;
    throw new EngineError('USAGE', `a tag cannot be called "${tag}": choose another name`);
  }
  return { ...labels, ...tags };
}

/** Labels that every snapshot of a source has. */
export function sourceLabels({ host, userName, path }: SnapshotSource): Labels {
  return { [TYPE_LABEL]: SNAPSHOT_TYPE, hostname: host, username: userName, path };
}

/** `user@host:/path` */
export function formatSource({ host, userName, path }: SnapshotSource): string {
  return path === '' ? `${userName}@${host}` : `${userName}@${host}:${path}`;
}

/**
 * @param data the JSON of the manifest's entry
 * @param id of the manifest
 * @throws SNAPSHOT_DAMAGED
 */
export function decodeSnapshotManifest(data: string, id: string): SnapshotManifest {
  const advice = 'it cannot be used, and kopia ignores it, too; delete it or restore it';
  const fail = failing('SNAPSHOT_DAMAGED', `snapshot ${id}`, advice);
  const fields = JsonFields.parse(data, fail);
  // kopia writes '' here and overwrites what it reads; checked for its type alone.
  fields.text('id');
  const rootEntry = fields.take('rootEntry');
  return {
    id,
    source: readSource(fields.fields('source') ?? new JsonFields({}, fail)),
    description: fields.text('description'),
    startTimeNs: readTime(fields, 'startTime'),
    endTimeNs: readTime(fields, 'endTime'),
    stats: readStats(fields.fields('stats') ?? new JsonFields({}, fail)),
    incomplete: fields.text('incomplete'),
    rootEntry: rootEntry === undefined ? undefined : readRoot(rootEntry, fail),
    tags: fields.textMap('tags'),
    pins: fields.texts('pins'),
    extra: fields.extra(),
  };
}

/** The JSON of the manifest's entry, fields in kopia's order and unknown ones behind them. */
export function encodeSnapshotManifest(manifest: SnapshotManifest): string {
  const { source, stats, rootEntry, extra } = manifest;
  return goJson({
    id: '',
    source: { host: source.host, userName: source.userName, path: source.path },
    description: manifest.description,
    startTime: formatTimestamp(manifest.startTimeNs),
    endTime: formatTimestamp(manifest.endTimeNs),
    stats: statsJson(stats),
    incomplete: unlessEmpty(manifest.incomplete),
    rootEntry: rootEntry === undefined ? null : parseExactJson(encodeEntry(rootEntry)),
    tags: sortedMap(manifest.tags),
    pins: unlessEmpty(manifest.pins),
    ...extra,
  });
}

/**
 * The entry at the root of a snapshot.
 * @throws SNAPSHOT_DAMAGED when there is none
 */
export function rootOf(manifest: SnapshotManifest): DirEntry {
  if (manifest.rootEntry !== undefined) return manifest.rootEntry;
  throw new EngineError(
    'SNAPSHOT_DAMAGED',
    `snapshot ${manifest.id} has no root; delete it, it holds nothing`,
  );
}

function readRoot(value: unknown, fail: Fail): DirEntry {
  return decodeEntry(value, problem => fail(`root entry: ${problem}`));
}

function readSource(fields: JsonFields): SnapshotSource {
  return {
    host: fields.text('host'),
    userName: fields.text('userName'),
    path: fields.text('path'),
  };
}

function readTime(fields: JsonFields, name: string): bigint {
  return BigInt.asIntN(64, fields.timestampNs(name) ?? 0n);
}

function readStats(fields: JsonFields): SnapshotStats {
  const count = (name: string) => fields.number(name, INT32_MIN, INT32_MAX);
  const bytes = (name: string) => fields.number(name, Number.MIN_SAFE_INTEGER);
  return {
    totalBytes: bytes('totalSize'),
    excludedTotalBytes: bytes('excludedTotalSize'),
    fileCount: count('fileCount'),
    cachedFileCount: count('cachedFiles'),
    nonCachedFileCount: count('nonCachedFiles'),
    directoryCount: count('dirCount'),
    excludedFileCount: count('excludedFileCount'),
    excludedDirectoryCount: count('excludedDirCount'),
    ignoredErrorCount: count('ignoredErrorCount'),
    errorCount: count('errorCount'),
    extra: fields.extra(),
  };
}

function statsJson(stats: SnapshotStats): ExtraFields {
  return {
    totalSize: stats.totalBytes,
    excludedTotalSize: stats.excludedTotalBytes,
    fileCount: stats.fileCount,
    cachedFiles: stats.cachedFileCount,
    nonCachedFiles: stats.nonCachedFileCount,
    dirCount: stats.directoryCount,
    excludedFileCount: stats.excludedFileCount,
    excludedDirCount: stats.excludedDirectoryCount,
    ignoredErrorCount: stats.ignoredErrorCount,
    errorCount: stats.errorCount,
    ...stats.extra,
  };
}
