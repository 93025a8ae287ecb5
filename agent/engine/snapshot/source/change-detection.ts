// Whether a file is what the parent snapshot holds, so that its object is used again without
// reading (kopia-format.md 11.1; kopia snapshot/upload/upload.go metadataEquals): type,
// permissions, owner, size and mtime to the nanosecond. Inode and ctime are not compared.

import type { DirEntry } from '#engine/format/directory.ts';
import { wrapEntryTime } from '#engine/format/entry-time.ts';

import type { SourceListing } from './source-listing.ts';
import { nameText } from './source-name.ts';
import { ENTRY_TYPE, type SourceStat } from './source-stat.ts';

const LETTERS = new Map<number, string>([
  [ENTRY_TYPE.file, 'f'],
  [ENTRY_TYPE.directory, 'd'],
  [ENTRY_TYPE.symlink, 's'],
]);
/** Beyond these seconds kopia's nanoseconds wrap around (entry-time.ts). */
const SECONDS_MAX = 9_223_372_035;
const REPLACEMENT = '\ufffd';

/** The letter of DirEntry.type, or undefined for what kopia cannot store. */
export function entryLetter(type: number): string | undefined {
  return LETTERS.get(type);
}

/**
 * True when the object of `entry` can stand for the file that `stat` describes; never for a
 * directory.
 */
export function isUnchanged(entry: DirEntry, stat: SourceStat): boolean {
  return (
    entry.bytes === stat.size &&
    entry.mtimeNanoseconds === stat.mtimeNanoseconds &&
    entry.mtimeSeconds === stat.mtimeSeconds &&
    entry.mode === stat.permissions &&
    entry.uid === stat.uid &&
    entry.gid === stat.gid &&
    isSameReusableType(entry, stat)
  );
}

function isSameReusableType(entry: DirEntry, stat: SourceStat): boolean {
  return (
    (entry.type === 'f' && stat.type === ENTRY_TYPE.file) ||
    (entry.type === 's' && stat.type === ENTRY_TYPE.symlink)
  );
}

/**
 * Brings the mtime of `stat` to what a directory object can hold, as kopia does. To be called
 * before the time is compared or stored; does nothing for the years 1678 to 2262.
 */
export function wrapModificationTime(stat: SourceStat): void {
  if (stat.mtimeSeconds <= SECONDS_MAX && stat.mtimeSeconds >= -SECONDS_MAX) return;
  const wrapped = wrapEntryTime({
    seconds: stat.mtimeSeconds,
    nanoseconds: stat.mtimeNanoseconds,
  });
  stat.mtimeSeconds = wrapped.seconds;
  stat.mtimeNanoseconds = wrapped.nanoseconds;
}

/**
 * The entries of one directory of a parent snapshot, to be asked in the order of a listing: as long
 * as nothing was added or removed, an answer is one comparison of bytes, without making a text.
 */
export class ParentEntries {
  readonly #entries: readonly DirEntry[];
  #positions: Map<string, number> | undefined;
  #next = 0;

  constructor(entries: readonly DirEntry[]) {
    this.#entries = entries;
  }

  get count(): number {
    return this.#entries.length;
  }

  /**
   * The parent's entry of that very name. A name that is not UTF-8, or has a U+FFFD, is never
   * found: the text that stands for it in a directory may be that of another file.
   */
  find(names: SourceListing, index: number): DirEntry | undefined {
    const offset = names.offsets[index] ?? 0;
    const length = names.lengths[index] ?? 0;
    const expected = this.#entries[this.#next];
    if (expected !== undefined && isAsciiName(expected.name, names.arena.bytes, offset, length)) {
      this.#next++;
      return expected;
    }
    const text = nameText(names.arena.bytes, offset, offset + length);
    if (text.includes(REPLACEMENT)) return undefined;
    this.#positions ??= new Map(this.#entries.map(({ name }, position) => [name, position]));
    const position = this.#positions.get(text);
    if (position === undefined) return undefined;
    this.#next = position + 1;
    return this.#entries[position];
  }
}

/** Whether `bytes` are exactly `text` and all ASCII. */
function isAsciiName(text: string, bytes: Uint8Array, offset: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = length - 1; i >= 0; i--) {
    const code = text.charCodeAt(i);
    if (code !== bytes[offset + i] || code >= 0x80) return false;
  }
  return true;
}
