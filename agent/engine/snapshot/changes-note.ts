// Where a snapshot manifest says what is known of its files beside the tree (see
// docs/change-detection.md): a part of the field that kopia ignores.

import type { SnapshotManifest } from '#engine/format/snapshot-manifest.ts';
import { NOTE_FIELD } from './chunker.ts';

/** One object: records of directories, behind them an index. */
export interface ChangesNote {
  readonly version: 1;
  readonly object: string;
  /** Where the index begins, in bytes. */
  readonly index: number;
  /** Places in the index; a power of two. */
  readonly slots: number;
}

/** The field of a manifest with a note in it. */
export function withChanges(
  extra: SnapshotManifest['extra'],
  changes: ChangesNote | undefined,
): SnapshotManifest['extra'] {
  if (changes === undefined) return extra;
  const note = extra?.[NOTE_FIELD];
  const others = typeof note === 'object' ? note : {};
  return { ...extra, [NOTE_FIELD]: { ...others, changes } };
}

/** What a manifest says; undefined when it says nothing that we understand. */
export function changesOf(manifest: SnapshotManifest | undefined): ChangesNote | undefined {
  const note = manifest?.extra?.[NOTE_FIELD];
  if (typeof note !== 'object' || note === null || !('changes' in note)) return undefined;
  const { changes } = note;
  if (typeof changes !== 'object' || changes === null) return undefined;
  // Each field is looked at before it is believed.
  const { version, object, index, slots } = changes as Partial<Record<string, unknown>>;
  const isKnown = version === 1 && typeof object === 'string';
  if (!isKnown || !isCount(index) || !isCount(slots)) return undefined;
  return { version, object, index, slots };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
