// What is known of a file that is itself the root of a snapshot (docs/change-detection.md): a
// record like that of a directory without entries, whose own stamp is that of the file.

import type { DirEntry } from '#engine/format/directory.ts';
import { isUnchanged } from '#engine/snapshot/source/change-detection.ts';
import {
  type ChangeRules,
  directoryKey,
  KnownRecord,
  makeRecord,
  markRacy,
  putStamp,
  STAMP_WORDS,
  STATE,
  unknownState,
} from '#engine/snapshot/source/change-record.ts';
import type { SourceStat } from '#engine/snapshot/source/source-stat.ts';
import type { KnownChanges } from './known-changes.ts';
import type { DirectoryRecord } from './record-order.ts';

/** The record beside the parent snapshot; undefined where there is none. */
export async function knownFile(
  changes: KnownChanges | undefined,
): Promise<DirectoryRecord | undefined> {
  const record = await changes?.find([]);
  return record && new KnownRecord(record).count === 0 ? record : undefined;
}

/** One of STATE: whether the object of `previous` can stand for the file that `stat` describes. */
export function fileState(
  previous: DirEntry | undefined,
  known: DirectoryRecord | undefined,
  stat: SourceStat,
  rules: ChangeRules,
): number {
  if (!previous || rules.forceHash || !isUnchanged(previous, stat)) return STATE.changed;
  return known ? new KnownRecord(known).ownState(stat, rules) : unknownState(stat, rules);
}

/** What is known of a file that was taken over. */
export function recordOfSame(
  known: DirectoryRecord | undefined,
  { state, fresh, rules }: { state: number; fresh: DirectoryRecord; rules: ChangeRules },
): DirectoryRecord {
  // A change that is to be ignored is not to be forgotten.
  const isKept = state === STATE.same || rules.ignoreCtime || rules.ignoreInode;
  return known && isKept ? known : fresh;
}

/** @param seenMs no later than when `stat` was taken; of Date.now() */
export function fileRecord(
  stat: SourceStat,
  { seenMs, isSteady }: { readonly seenMs: number; readonly isSteady: boolean },
): DirectoryRecord {
  const own = new Uint32Array(STAMP_WORDS);
  putStamp(own, 0, stat, seenMs);
  if (!isSteady) markRacy(own, 0);
  return makeRecord(directoryKey([]), own, []);
}
