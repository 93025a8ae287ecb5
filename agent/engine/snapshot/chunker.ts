// Which splitter cuts the files of a backup. Cuts decide what deduplicates: data that was cut by
// one splitter finds nothing that was cut by another. So a source goes on as it began.

import { fastCdcFor } from '#engine/chunk/splitters.ts';
import type { SnapshotManifest } from '#engine/format/snapshot-manifest.ts';

/**
 * `auto` goes on as the parent snapshot did, and begins with the repository's splitter (ADR 0004).
 */
export type Chunker = 'auto' | 'repository' | 'fastcdc';

export const CHUNKERS: readonly Chunker[] = Object.freeze(['auto', 'repository', 'fastcdc']);

/** Field of the snapshot manifest, which kopia ignores, that tells the next backup. */
export const NOTE_FIELD = 'stevedore';

/**
 * @param repositorySplitter the repository's, or what the policy of the source says instead
 */
export function chooseSplitter(
  chunker: Chunker,
  repositorySplitter: string,
  parent: SnapshotManifest | undefined,
): string {
  const fastCdc = fastCdcFor(repositorySplitter).name;
  if (chunker === 'fastcdc') return fastCdc;
  if (chunker === 'repository') return repositorySplitter;
  return notedSplitter(parent) === fastCdc ? fastCdc : repositorySplitter;
}

/** What the manifest says of the splitter; nothing where it is the one kopia would have used. */
export function splitterNote(
  splitter: string,
  repositorySplitter: string,
): Readonly<Record<string, unknown>> | undefined {
  return splitter === repositorySplitter ? undefined : { [NOTE_FIELD]: { splitter } };
}

function notedSplitter(manifest: SnapshotManifest | undefined): string | undefined {
  const note = manifest?.extra?.[NOTE_FIELD];
  if (typeof note !== 'object' || note === null || !('splitter' in note)) return undefined;
  return typeof note.splitter === 'string' ? note.splitter : undefined;
}
