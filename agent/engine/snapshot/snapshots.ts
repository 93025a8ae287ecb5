// The snapshots of a repository: listing them, finding one by what a person types, forgetting some.
// A snapshot whose manifest cannot be read stays in the list with what is wrong with it; kopia
// leaves such ones out, and its maintenance then deletes their data.

import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { formatTimestamp } from '#engine/base/timestamp.ts';
import { TYPE_LABEL } from '#engine/format/manifest.ts';
import {
  decodeSnapshotManifest,
  SNAPSHOT_TYPE,
  type SnapshotManifest,
  type SnapshotSource,
} from '#engine/format/snapshot-manifest.ts';
import type { Manifest, ManifestReader, ManifestStore } from '#engine/manifest/manifest-store.ts';
import type { ReadOptions } from '#engine/object/object-reader.ts';

export interface SourceFilter {
  readonly user?: string;
  readonly host?: string;
  readonly path?: string;
}

export interface SnapshotFilter {
  readonly source?: SourceFilter;
  /** All of them, with these values. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly includeIncomplete?: boolean;
}

export interface SnapshotProblem {
  readonly code: string;
  readonly message: string;
}

export interface SnapshotSummary {
  readonly id: string;
  readonly source: { readonly user: string; readonly host: string; readonly path: string };
  /** RFC 3339. */
  readonly startTime: string;
  readonly endTime: string;
  readonly files: number;
  readonly bytes: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly description: string;
  /** Why it is not complete; '' when it is. */
  readonly incomplete: string;
  readonly pins: readonly string[];
  /** Of the entry of its root; '' where there is none. */
  readonly rootName: string;
  /** Only of a snapshot that cannot be read; source and times are then those of its manifest. */
  readonly problem?: SnapshotProblem;
}

/** A snapshot, or the failure to read its manifest. */
type Loaded = Manifest & { readonly snapshot: SnapshotManifest | EngineError };

/**
 * The snapshots that match, the oldest first. Those whose manifest cannot be read are among them,
 * whatever their tags and whether complete or not, since that is what cannot be known.
 * @throws MANIFEST_DAMAGED and what reading contents throws
 */
export async function listSnapshots(
  manifests: ManifestReader,
  filter: SnapshotFilter = {},
  options: ReadOptions = {},
): Promise<SnapshotSummary[]> {
  const loaded = await load(manifests, filter, options);
  return loaded.sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1)).map(summaryOf);
}

/**
 * The snapshot that `reference` means: an id, the beginning of exactly one id, or `latest`, which
 * is the complete one that began last among those that match `filter`.
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_AMBIGUOUS with the candidates, SNAPSHOT_DAMAGED
 */
export async function resolveSnapshot(
  manifests: ManifestReader,
  reference: string,
  filter: SnapshotFilter = {},
  options: ReadOptions = {},
): Promise<SnapshotManifest> {
  if (reference === 'latest') return latestOf(await load(manifests, filter, options));
  const { snapshot } = await resolveReference(manifests, reference, options);
  if (snapshot instanceof EngineError) throw snapshot;
  return snapshot;
}

/** A snapshot as it stood in the listing. Its manifest stays text until it is wanted. */
export interface ListedSnapshot {
  readonly id: string;
  /** @throws SNAPSHOT_DAMAGED */
  readonly read: () => SnapshotManifest;
}

/**
 * The snapshots that `references` mean, in their order, or all of them, incomplete ones too, the
 * oldest first. One listing serves all, so that a long run over them does not stumble over what is
 * forgotten meanwhile, nor look through all manifests for each.
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_AMBIGUOUS with the candidates
 */
export async function snapshotsToRead(
  manifests: ManifestReader,
  references?: readonly string[],
  options: ReadOptions = {},
): Promise<ListedSnapshot[]> {
  const all = await manifests.find({ [TYPE_LABEL]: SNAPSHOT_TYPE }, options);
  if (references === undefined) return all.map(listed);
  return references.map(reference => {
    if (reference !== 'latest') return listed(meantBy(reference, all));
    const latest = latestOf(all.map(decode));
    return { id: latest.id, read: () => latest };
  });
}

function listed({ id, data }: Manifest): ListedSnapshot {
  return { id, read: () => decodeSnapshotManifest(data, id) };
}

/** A reference as people type it: `ID`, `ID:/path`, `latest:/path`. */
export function splitSnapshotPath(text: string): { reference: string; path: string } {
  const colon = text.indexOf(':');
  if (colon === -1) return { reference: text, path: '' };
  return { reference: text.slice(0, colon), path: text.slice(colon + 1) };
}

/**
 * Deletes the manifests of the snapshots that `references` mean; all are found before the first is
 * deleted. Durable when the index has been committed afterwards. Data goes with maintenance, later.
 * @returns the ids
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_AMBIGUOUS
 */
export async function forgetSnapshots(
  manifests: ManifestStore,
  references: readonly string[],
  options: ReadOptions = {},
): Promise<string[]> {
  const found = new Map<string, Loaded>();
  for (const reference of references) {
    const loaded = await resolveReference(manifests, reference, options);
    found.set(loaded.id, loaded);
  }
  // All or none: nothing is waited for in between, so no abort can come between two of them.
  const undo = [...found.values()].map(loaded => manifests.drop(loaded));
  try {
    await manifests.flush();
  } catch (error) {
    for (const takeBack of undo) takeBack();
    throw error;
  }
  return [...found.keys()];
}

function latestOf(loaded: readonly Loaded[]): SnapshotManifest {
  let latest: SnapshotManifest | undefined;
  for (const { snapshot } of loaded) {
    if (snapshot instanceof EngineError || snapshot.incomplete !== '') continue;
    if (!latest || snapshot.startTimeNs > latest.startTimeNs) latest = snapshot;
  }
  if (latest) return latest;
  throw notFound('latest', 'the repository has no complete snapshot that matches');
}

async function resolveReference(
  manifests: ManifestReader,
  reference: string,
  options: ReadOptions,
): Promise<Loaded> {
  return decode(meantBy(reference, await manifests.find({ [TYPE_LABEL]: SNAPSHOT_TYPE }, options)));
}

function meantBy(reference: string, all: readonly Manifest[]): Manifest {
  const exact = all.filter(({ id }) => id === reference);
  const candidates = exact.length > 0 ? exact : all.filter(({ id }) => id.startsWith(reference));
  if (reference === '' || candidates.length === 0) {
    throw notFound(reference, 'no snapshot has an id that begins so');
  }
  if (candidates.length === 1) return candidates[0];
  const ids = candidates.slice(0, 20).map(({ id }) => id);
  const text = `"${reference}" is the beginning of ${candidates.length} snapshot ids`;
  const advice = `type more of it: ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', …' : ''}`;
  throw new EngineError('SNAPSHOT_AMBIGUOUS', `${text}; ${advice}`, { details: { ids } });
}

function notFound(reference: string, reason: string): EngineError {
  const text = `looking for snapshot ${JSON.stringify(reference)} failed: ${reason}`;
  return new EngineError('SNAPSHOT_NOT_FOUND', `${text}; list the snapshots to see their ids`);
}

async function load(
  manifests: ManifestReader,
  filter: SnapshotFilter,
  options: ReadOptions,
): Promise<Loaded[]> {
  const found = await manifests.find({ [TYPE_LABEL]: SNAPSHOT_TYPE }, options);
  return found.map(decode).filter(loaded => matches(loaded, filter));
}

function decode(manifest: Manifest): Loaded {
  try {
    return { ...manifest, snapshot: decodeSnapshotManifest(manifest.data, manifest.id) };
  } catch (error) {
    if (!isEngineError(error, 'SNAPSHOT_DAMAGED')) throw error;
    return { ...manifest, snapshot: error };
  }
}

function matches(loaded: Loaded, filter: SnapshotFilter): boolean {
  const { source, tags = {}, includeIncomplete = false } = filter;
  if (!matchesSource(sourceOf(loaded), source)) return false;
  const { snapshot } = loaded;
  if (snapshot instanceof EngineError) return true;
  if (snapshot.incomplete !== '' && !includeIncomplete) return false;
  // kopia's command puts `tag:` before what its user calls a tag; Velero does not.
  const valueOf = (key: string) => snapshot.tags[key] ?? snapshot.tags[`tag:${key}`];
  return Object.entries(tags).every(([key, value]) => valueOf(key) === value);
}

function matchesSource({ userName, host, path }: SnapshotSource, filter?: SourceFilter): boolean {
  return (
    (filter?.user === undefined || filter.user === userName) &&
    (filter?.host === undefined || filter.host === host) &&
    (filter?.path === undefined || filter.path === path)
  );
}

function sourceOf({ snapshot, labels }: Loaded): SnapshotSource {
  if (!(snapshot instanceof EngineError)) return snapshot.source;
  const { hostname = '', username = '', path = '' } = labels;
  return { host: hostname, userName: username, path };
}

function summaryOf(loaded: Loaded): SnapshotSummary {
  const { userName, host, path } = sourceOf(loaded);
  const source = { user: userName, host, path };
  const { id, snapshot, modifiedNs } = loaded;
  if (snapshot instanceof EngineError) {
    const time = formatTimestamp(modifiedNs);
    const { code, message } = snapshot;
    const unknown = { files: 0, bytes: 0, tags: {}, description: '', incomplete: '' };
    const problem = { code, message };
    const nothing = { ...unknown, pins: [], rootName: '' };
    return { id, source, startTime: time, endTime: time, ...nothing, problem };
  }
  return {
    id,
    source,
    startTime: formatTimestamp(snapshot.startTimeNs),
    endTime: formatTimestamp(snapshot.endTimeNs),
    ...totalsOf(snapshot),
    tags: snapshot.tags,
    description: snapshot.description,
    incomplete: snapshot.incomplete,
    pins: snapshot.pins,
    rootName: snapshot.rootEntry?.name ?? '',
  };
}

/** What the tree holds; kopia's stats tell what a run did and not that (kopia-format.md 10.2). */
function totalsOf({ rootEntry, stats }: SnapshotManifest): { files: number; bytes: number } {
  const summary = rootEntry?.summary;
  if (summary) return { files: summary.files, bytes: summary.bytes };
  if (rootEntry?.type === 'f') return { files: 1, bytes: rootEntry.bytes };
  return { files: stats.fileCount, bytes: stats.totalBytes };
}

function startOf({ snapshot, modifiedNs }: Loaded): bigint {
  return snapshot instanceof EngineError ? modifiedNs : snapshot.startTimeNs;
}
