// Directory objects: JSON with one entry for each name and a summary of the subtree (kopia
// snapshot/manifest.go, snapshot/snapshotfs/dir_*.go). Equal trees give equal objects only if the
// text agrees to the byte, so order, omissions and escapes are exactly kopia's; fields that kopia
// does not have stand behind its own.

import { goJson, goString } from '#engine/base/json.ts';
import { formatEntryTime } from './entry-time.ts';
import { formatGoMode } from './go-mode.ts';
import { compareUtf8 } from './go-name.ts';
import type { ExtraFields } from './json-fields.ts';

export const DIRECTORY_STREAM = 'kopia:directory';
/** A summary names this many failed entries and counts the others. */
export const FAILED_ENTRIES_MAX = 10;

/** f file, d directory, s symbolic link; others occur in no repository of a released kopia. */
export type DirEntryType = string;

export interface DirEntry {
  readonly name: string;
  readonly type: DirEntryType;
  /** st_mode & 07777. */
  readonly mode: number;
  /** Of a file, or of a link's target; kopia writes 0 for directories. */
  readonly bytes: number;
  /** Whole seconds since 1970, may be negative. */
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly uid: number;
  readonly gid: number;
  readonly objectId: string;
  /** Of directories; kopia attaches one to a file that is the root of a snapshot, too. */
  readonly summary?: DirSummary;
  /** Fields that kopia does not have. No name may equal one of kopia's in another case. */
  readonly extra?: ExtraFields;
}

export interface FailedEntry {
  readonly path: string;
  readonly error: string;
}

/** Totals of a subtree, the directory itself included in `directories`. */
export interface DirSummary {
  readonly bytes: number;
  readonly files: number;
  readonly symlinks: number;
  readonly directories: number;
  /** The latest mtime of all entries; of an empty directory its own. */
  readonly maxTimeSeconds: number;
  readonly maxTimeNanoseconds: number;
  /** Why the directory is not complete; '' when it is. */
  readonly incomplete: string;
  readonly failedCount: number;
  readonly ignoredErrorCount: number;
  readonly failedEntries: readonly FailedEntry[];
  readonly extra?: ExtraFields;
}

export interface Directory {
  readonly entries: readonly DirEntry[];
  readonly summary?: DirSummary;
  readonly extra?: ExtraFields;
}

/**
 * The text of an entry.
 * @param nameLiteral the name as a JSON literal, where it is not goString(entry.name): names that
 *   are not UTF-8 (see goNameText)
 */
export function encodeEntry(entry: DirEntry, nameLiteral?: string): string {
  const { mode, bytes, uid, gid, summary, extra } = entry;
  let text = '{';
  if (nameLiteral !== undefined) text += `"name":${nameLiteral},`;
  else if (entry.name !== '') text += `"name":${goString(entry.name)},`;
  if (entry.type !== '') text += `"type":${goString(entry.type)},`;
  if (mode !== 0) text += `"mode":"${formatGoMode(mode)}",`;
  if (bytes !== 0) text += `"size":${bytes},`;
  if (entry.mtimeSeconds !== 0 || entry.mtimeNanoseconds !== 0) {
    text += `"mtime":"${formatEntryTime(entry.mtimeSeconds, entry.mtimeNanoseconds)}",`;
  }
  if (uid !== 0) text += `"uid":${uid},`;
  if (gid !== 0) text += `"gid":${gid},`;
  text += `"obj":"${entry.objectId}"`;
  if (summary !== undefined) text += `,"summ":${encodeSummary(summary)}`;
  if (extra !== undefined) text += encodeExtra(extra);
  return `${text}}`;
}

export function encodeSummary(summary: DirSummary): string {
  const { bytes, files, symlinks, directories, incomplete, ignoredErrorCount } = summary;
  const time = formatEntryTime(summary.maxTimeSeconds, summary.maxTimeNanoseconds);
  let text = `{"size":${bytes},"files":${files},"symlinks":${symlinks},"dirs":${directories}`;
  text += `,"maxTime":"${time}"`;
  if (incomplete !== '') text += `,"incomplete":${goString(incomplete)}`;
  text += `,"numFailed":${summary.failedCount}`;
  if (ignoredErrorCount !== 0) text += `,"numIgnoredErrors":${ignoredErrorCount}`;
  if (summary.failedEntries.length > 0) {
    const failed = summary.failedEntries.map(({ path, error }) => ({ path, error }));
    text += `,"errors":${goJson(failed)}`;
  }
  if (summary.extra !== undefined) text += encodeExtra(summary.extra);
  return `${text}}`;
}

/**
 * The text of a directory whose entries have been encoded, in order (see compareEntries). In
 * pieces, because one text can be longer than a JavaScript string may be.
 */
export function* directoryPieces(
  entryTexts: Iterable<string>,
  summary: DirSummary,
  extra?: ExtraFields,
): Generator<string> {
  let separator = '[';
  yield `{"stream":"${DIRECTORY_STREAM}","entries":`;
  for (const text of entryTexts) {
    yield separator + text;
    separator = ',';
  }
  // Go writes a slice that was never appended to as null.
  const end = separator === '[' ? 'null' : ']';
  const more = extra === undefined ? '' : encodeExtra(extra);
  yield `${end},"summary":${encodeSummary(summary)}${more}}\n`;
}

/** The same in one piece; up to about two million entries. */
export function encodeDirectory(
  entryTexts: readonly string[],
  summary: DirSummary,
  extra?: ExtraFields,
): string {
  const entries = entryTexts.length === 0 ? 'null' : `[${entryTexts.join(',')}]`;
  const more = extra === undefined ? '' : encodeExtra(extra);
  const head = `{"stream":"${DIRECTORY_STREAM}","entries":${entries}`;
  return `${head},"summary":${encodeSummary(summary)}${more}}\n`;
}

/**
 * The order of entries: directories first, then by name in bytes. Exact for names that are UTF-8;
 * others have to be ordered by their bytes.
 */
export function compareEntries(
  a: Pick<DirEntry, 'name' | 'type'>,
  b: Pick<DirEntry, 'name' | 'type'>,
): number {
  const isDirectoryA = a.type === 'd';
  if (isDirectoryA !== (b.type === 'd')) return isDirectoryA ? -1 : 1;
  return compareUtf8(a.name, b.name);
}

/** The failures that a summary names: the first by path. */
export function firstFailedEntries(failed: readonly FailedEntry[]): FailedEntry[] {
  return [...failed].sort((a, b) => compareUtf8(a.path, b.path)).slice(0, FAILED_ENTRIES_MAX);
}

/** Fields behind others, with a comma before them; '' for none. */
export function encodeExtra(extra: ExtraFields): string {
  const text = goJson(extra);
  return text === '{}' ? '' : `,${text.slice(1, -1)}`;
}
