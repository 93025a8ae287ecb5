// What a dry run asks of a worker thread for one directory: what a backup would do with each entry.

import type { Exclusion } from '#engine/snapshot/source/selection.ts';
import type { ChildDirectory, ScanInput, ScanOutput, SkippedEntry } from './upload-tasks.ts';

/** Why something is left out, by who said so. */
export type ExclusionClass =
  'command line' | 'policy' | 'ignore file' | 'cache directory' | 'too large' | 'other file system';

export const EXCLUSION_CLASSES: readonly ExclusionClass[] = Object.freeze([
  'command line',
  'policy',
  'ignore file',
  'cache directory',
  'too large',
  'other file system',
]);

export interface FileCount {
  files: number;
  bytes: number;
}

export interface ExcludedCount {
  files: number;
  /** With everything in them, which nobody has counted. */
  directories: number;
  /** Of files that were looked at; those that are left out by their names are not. */
  bytes: number;
}

/** Mutable sums. */
export interface SurveyCounts {
  readonly new: FileCount;
  readonly changed: FileCount;
  readonly unchanged: FileCount;
  links: number;
  directories: number;
  /** Neither files, directories nor links. */
  others: number;
  readonly excluded: Record<ExclusionClass, ExcludedCount>;
  unreadableCount: number;
  /** The first of them. */
  readonly unreadable: SkippedEntry[];
}

/** More than this are counted and not listed. */
export const UNREADABLE_LISTED_MAX = 10_000;

export interface SurveyOutput extends Pick<ScanOutput, 'selection'> {
  readonly children: readonly ChildDirectory[];
  readonly counts: SurveyCounts;
}

// An alias and not an interface, because only aliases fit the index signature of TaskMap.
export type SurveyTasks = {
  surveyDirectory: { input: ScanInput; output: SurveyOutput };
};

export function emptyCounts(): SurveyCounts {
  const none = (): ExcludedCount => ({ files: 0, directories: 0, bytes: 0 });
  return {
    new: { files: 0, bytes: 0 },
    changed: { files: 0, bytes: 0 },
    unchanged: { files: 0, bytes: 0 },
    links: 0,
    directories: 0,
    others: 0,
    excluded: {
      'command line': none(),
      policy: none(),
      'ignore file': none(),
      'cache directory': none(),
      'too large': none(),
      'other file system': none(),
    },
    unreadableCount: 0,
    unreadable: [],
  };
}

export function addFile(count: FileCount, bytes: number): void {
  count.files += 1;
  count.bytes += bytes;
}

export function addUnreadable(counts: SurveyCounts, entry: SkippedEntry): void {
  counts.unreadableCount += 1;
  if (counts.unreadable.length < UNREADABLE_LISTED_MAX) counts.unreadable.push(entry);
}

export function addCounts(sum: SurveyCounts, more: SurveyCounts): void {
  for (const state of ['new', 'changed', 'unchanged'] as const) {
    sum[state].files += more[state].files;
    sum[state].bytes += more[state].bytes;
  }
  sum.links += more.links;
  sum.directories += more.directories;
  sum.others += more.others;
  for (const name of EXCLUSION_CLASSES) {
    sum.excluded[name].files += more.excluded[name].files;
    sum.excluded[name].directories += more.excluded[name].directories;
    sum.excluded[name].bytes += more.excluded[name].bytes;
  }
  sum.unreadableCount += more.unreadableCount;
  const room = UNREADABLE_LISTED_MAX - sum.unreadable.length;
  sum.unreadable.push(...more.unreadable.slice(0, room));
}

export function classOf({ reason, rule }: Exclusion): ExclusionClass {
  if (reason !== 'ignored') return reason;
  const kind = rule?.origin.kind ?? 'default';
  return kind === 'default' ? 'policy' : kind;
}
