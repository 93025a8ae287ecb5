// What the parent snapshot holds of the directory, or page of one, that is being stored, and what
// is known of it beside the snapshot. One instance serves many directories.

import type { DirEntry } from '#engine/format/directory.ts';
import { DirectoryTable } from '#engine/format/directory-table.ts';
import type { EntryExtras, SpecialEntry } from '#engine/format/entry-extras.ts';
import { failing } from '#engine/format/json-fields.ts';
import { equalBytes } from '#engine/base/bytes.ts';
import { isEngineError } from '#engine/base/errors.ts';
import {
  type ChangeRules,
  HEADER_WORDS,
  KnownRecord,
  makeRecord,
  STATE,
  STAMP_WORDS,
  stampState,
  unknownState,
} from '#engine/snapshot/source/change-record.ts';
import type { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { nameText } from '#engine/snapshot/source/source-name.ts';
import { ENTRY_TYPE, type SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { childKey, joinResumed, partialsByName, readResumed } from './resumed-entries.ts';
import type { DirectoryPage, EarlierChild, PreviousObject } from './upload-tasks.ts';

const FILE = 'f'.charCodeAt(0);
const LINK = 's'.charCodeAt(0);
const NOT_FOUND = -1;
const NOTHING: readonly PreviousObject[] = Object.freeze([]);
const NO_PARTIALS: ReadonlyMap<string, DirEntry> = new Map();
/** Columns of directories above this many entries are not kept for the next. */
const KEPT_ENTRIES_MAX = 65_536;
const fail = failing('DIRECTORY_DAMAGED', 'an entry of the parent snapshot', 'it is not used');

export class PreviousEntries {
  table = new DirectoryTable();
  self: EntryExtras | undefined;
  /** By name, in bytes. */
  special: readonly SpecialEntry[] = [];
  known: KnownRecord | undefined;
  /** Stamps of the entries, where they are known. */
  stamps: Uint32Array | undefined;
  /** The object that `table` is of; none when several have been put together. */
  object: PreviousObject | undefined;
  /** Child directories by childKey, where a backup goes on from incomplete snapshots. */
  children: ReadonlyMap<string, EarlierChild> | undefined;
  /** Parts of large files that an earlier run has read, by the names of the files. */
  partials: ReadonlyMap<string, DirEntry> = NO_PARTIALS;
  #firstStamp = 0;
  #nextDirectory = 0;
  #nextOther = 0;
  #positions: Map<string, number> | undefined;

  /**
   * A whole directory. What cannot be understood is as good as none: its files are read again.
   * @param resumed the directory in incomplete snapshots, oldest first
   */
  begin(
    previous: PreviousObject | undefined,
    record: Uint32Array | undefined,
    resumed: readonly PreviousObject[] = NOTHING,
  ): void {
    this.#clear();
    if (previous !== undefined) this.#read(previous);
    const { table } = this;
    const count = table.count - table.directoryCount + this.special.length;
    const known = record && new KnownRecord(record);
    // What is known says nothing without the object that it is known of.
    if (this.object !== undefined && known?.count === count) {
      this.known = known;
      this.stamps = known.words;
      this.#firstStamp = HEADER_WORDS;
    }
    if (resumed.length > 0) this.#resume(resumed);
    this.#nextOther = this.table.directoryCount;
  }

  /** Some entries, none a directory, and their stamps. */
  beginPage({ previous: texts, stamps, partials }: DirectoryPage): void {
    this.#clear();
    if (partials) this.partials = partialsByName(partials);
    if (!this.table.readEntries(texts)) this.table.clear();
    if (stamps?.length === this.table.count * STAMP_WORDS) this.stamps = stamps;
  }

  /**
   * Position of the entry of that very name and kind, or -1; names have to be asked for in the
   * order of a listing. A name whose bytes nobody knows is never found.
   */
  find(names: SourceListing, index: number): number {
    const { table } = this;
    if (!table.isSorted) return this.#findUnsorted(names, index);
    const isDirectory = names.types[index] === ENTRY_TYPE.directory;
    const end = isDirectory ? table.directoryCount : table.count;
    const { bytes } = names.arena;
    const offset = names.offsets[index];
    const length = names.lengths[index];
    let at = isDirectory ? this.#nextDirectory : this.#nextOther;
    let comparison = -1;
    while (at < end && comparison < 0) {
      const isNamed = table.nameLengths[at] > 0;
      if (isNamed) comparison = table.compareName(at, bytes, offset, length);
      if (comparison < 0) at++;
    }
    if (isDirectory) this.#nextDirectory = at;
    else this.#nextOther = at;
    return comparison === 0 && at < end ? at : NOT_FOUND;
  }

  /** Position of the special entry of that name, or -1. */
  specialIndex(name: Uint8Array): number {
    const text = nameText(name);
    return this.special.findIndex(
      ({ name: before, extras }) =>
        before === text &&
        (extras?.nameBytes === undefined
          ? Buffer.from(text).equals(name)
          : Buffer.from(extras.nameBytes).equals(name)),
    );
  }

  /** kopia's rule (snapshot/upload/upload.go metadataEquals); never true for a directory. */
  isUnchanged(position: number, stat: SourceStat): boolean {
    const { table } = this;
    const letter = table.types[position];
    return (
      table.sizes[position] === stat.size &&
      table.mtimeNanoseconds[position] === stat.mtimeNanoseconds &&
      table.mtimeSeconds[position] === stat.mtimeSeconds &&
      table.modes[position] === stat.permissions &&
      table.uids[position] === stat.uid &&
      table.gids[position] === stat.gid &&
      ((letter === FILE && stat.type === ENTRY_TYPE.file) ||
        (letter === LINK && stat.type === ENTRY_TYPE.symlink))
    );
  }

  /** One of STATE: what change time and inode say. */
  stateOf(position: number, stat: SourceStat, rules: ChangeRules): number {
    if (rules.forceHash) return STATE.changed;
    const { stamps } = this;
    if (stamps === undefined) return unknownState(stat, rules);
    return stampState(stamps, this.stampAt(position), stat, rules);
  }

  /** Where the stamp of an entry stands in `stamps`. */
  stampAt(position: number): number {
    return this.#firstStamp + (position - this.table.directoryCount) * STAMP_WORDS;
  }

  /** Position of special entry `index` for stateOf and stampAt: behind all others. */
  positionOfSpecial(index: number): number {
    return this.table.count + index;
  }

  /** Undefined for one that cannot be understood. */
  entryAt(position: number): DirEntry | undefined {
    try {
      return this.table.entryAt(position, fail);
    } catch (error) {
      if (isEngineError(error, 'DIRECTORY_DAMAGED')) return undefined;
      throw error;
    }
  }

  /** Whether it is a file and no link. */
  isFile(position: number): boolean {
    return this.table.types[position] === FILE;
  }

  /** What there is of the child directory of that name, whose position is asked for before. */
  childAt(position: number, name: Uint8Array): EarlierChild {
    if (this.children) return this.children.get(childKey(name)) ?? { previous: undefined };
    const found = position === NOT_FOUND ? undefined : this.entryAt(position);
    return { previous: found?.type === 'd' ? found : undefined };
  }

  /** Whether `text` is what stands there. */
  hasText(position: number, text: Uint8Array): boolean {
    return equalBytes(text, this.table.textsOf(position, position));
  }

  #clear(): void {
    if (this.table.starts.length > KEPT_ENTRIES_MAX) this.table = new DirectoryTable();
    this.table.clear();
    this.known = undefined;
    this.stamps = undefined;
    this.object = undefined;
    this.children = undefined;
    this.partials = NO_PARTIALS;
    this.#firstStamp = 0;
    this.self = undefined;
    this.special = [];
    this.#nextDirectory = 0;
    this.#nextOther = 0;
    this.#positions = undefined;
  }

  #resume(resumed: readonly PreviousObject[]): void {
    const { tables, children, partials } = readResumed(resumed, this.table);
    this.children = children;
    this.partials = partials;
    if (tables.length === 0) return;
    if (this.object === undefined && resumed.length === 1) {
      [this.table] = tables;
      [this.object] = resumed;
      return;
    }
    const { known, special } = this;
    const { count, directoryCount, isSorted } = this.table;
    const entryCount = count - directoryCount;
    const stamps = isSorted ? known?.stamps(0, entryCount) : undefined;
    const joined = joinResumed({ table: this.table, stamps }, tables);
    this.table = joined.table;
    this.object = undefined;
    this.known = undefined;
    this.stamps = undefined;
    if (known === undefined || joined.stamps === undefined) return;
    const words = [joined.stamps, known.stamps(entryCount, special.length)];
    this.known = new KnownRecord(makeRecord(known.key, known.own, words));
    this.stamps = this.known.words;
  }

  #read(previous: PreviousObject): void {
    try {
      this.table.read(previous.bytes, `directory ${previous.objectId}`);
      this.object = previous;
      const extras = this.table.extras(fail);
      this.self = extras?.self;
      this.special = extras?.special ?? [];
    } catch (error) {
      if (!isEngineError(error, 'DIRECTORY_DAMAGED')) throw error;
      this.#clear();
    }
  }

  /** kopia and we write them sorted; a name that is there twice could be either. */
  #findUnsorted(names: SourceListing, index: number): number {
    this.#positions ??= positionsByName(this.table);
    const name = Buffer.from(names.nameAt(index)).toString('latin1');
    return this.#positions.get(name) ?? NOT_FOUND;
  }
}

function positionsByName(table: DirectoryTable): Map<string, number> {
  const positions = new Map<string, number>();
  for (let index = 0; index < table.count; index++) {
    const start = table.nameStarts[index];
    const bytes = table.bytes.subarray(start, start + table.nameLengths[index]);
    const name = Buffer.from(bytes).toString('latin1');
    if (name !== '') positions.set(name, positions.has(name) ? NOT_FOUND : index);
  }
  return positions;
}
