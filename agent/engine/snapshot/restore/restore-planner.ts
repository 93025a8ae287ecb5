// Plans a restore: reads the stored directories and fills the tables of plan-tables.ts, one section
// after the other. Worker threads parse; here is decided what becomes of each entry. The tree is
// walked with a stack of directories that have not been read, so that neither depth nor breadth
// takes more than their rows.

import { throwIfAborted } from '#engine/base/abort.ts';
import { deserializeError } from '#engine/base/errors.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import { TreeReader } from '#engine/snapshot/tree.ts';
import { tooDeep, TREE_DEPTH_MAX } from '#engine/snapshot/tree-limits.ts';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import { BatchRows, directoryOf } from './batch-rows.ts';
import type { EntryFilter } from './entry-filter.ts';
import { ChunkPlanner, type ChunkPlannerParts } from './chunk-planner.ts';
import {
  DECODED_KIND,
  type DecodedDirectories,
  type DecodedDirectory,
} from './decode-directories.ts';
import {
  DIRECTORY_STATE,
  DirectoryTable,
  ENTRY_ACTION,
  ENTRY_KIND,
  NO_ROW,
  SectionTable,
} from './plan-tables.ts';
import type { LeadingName, PlannedLink } from './linked-names.ts';
import { PlanPaths } from './plan-paths.ts';
import type { RestoreTasks } from './restore-tasks.ts';

export interface PlannerParts extends ChunkPlannerParts {
  readonly runner: TaskRunner<RestoreTasks>;
}

export interface PlannerOptions {
  /** The directories that trees and single entries are planned in, by their numbers; absolute. */
  readonly targets: readonly string[];
  readonly filter?: EntryFilter;
  /** Tables of a section, but for what one directory takes that is larger than all. */
  readonly sectionBytesMax: number;
  /** Whether other names of a file may have to get its content, because the first is taken. */
  readonly mayBeTaken: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Where the entries of one directory stand in the tables. */
export interface PlannedDirectory {
  readonly row: number;
  readonly entriesFrom: number;
  readonly entriesTo: number;
  readonly directoriesFrom: number;
  readonly directoriesTo: number;
  /** Some of its entries cannot be restored and are not in the tables. */
  readonly hasProblems: boolean;
}

export interface PlannedSection {
  readonly table: SectionTable;
  /** Names of files that have several: those that lead, and those that become links. */
  readonly leads: readonly LeadingName[];
  readonly links: readonly PlannedLink[];
  readonly directories: readonly PlannedDirectory[];
}

/** Entries of a section; each takes about 90 bytes and its name, and 50 for a chunk. */
export const SECTION_ENTRIES_MAX = 500_000;
const BATCH_DIRECTORIES = 32;
const BATCH_BYTES = 2 << 20;

interface UnreadDirectory {
  readonly row: number;
  readonly objectId: string;
  readonly depth: number;
}

interface Batch {
  readonly directories: readonly UnreadDirectory[];
  readonly decoded: DecodedDirectories | undefined;
}

export class RestorePlanner {
  readonly directories = new DirectoryTable();
  readonly paths: PlanPaths;
  readonly #parts: PlannerParts;
  readonly #options: PlannerOptions;
  readonly #reader: TreeReader;
  readonly #chunks: ChunkPlanner;
  readonly #unread: UnreadDirectory[] = [];
  /** What is being read, in order; goes on while a section is carried out. */
  readonly #pending: Promise<Batch>[] = [];
  readonly #leads = new Map<string, LeadingName>();
  /** Of entries that are restored by themselves, by the row of the directory that they go to. */
  readonly #storedNames = new Map<number, Uint8Array>();
  #section: SectionTable;
  #newLeads: LeadingName[] = [];
  #links: PlannedLink[] = [];
  #planned: PlannedDirectory[] = [];
  #isBegun = false;

  constructor(parts: PlannerParts, options: PlannerOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#reader = new TreeReader(parts.contents);
    this.#section = new SectionTable(parts.keyBytes);
    this.paths = new PlanPaths(this.directories, options.targets);
    this.#chunks = new ChunkPlanner(parts, this.paths, options);
  }

  /** Plans the directory `root` as the target of that number. */
  addTree(root: DirEntry, target: number): number {
    const row = this.#addDirectory(NO_ROW, target, root);
    this.#unread.push({ row, objectId: root.objectId, depth: 0 });
    return row;
  }

  /**
   * Plans one entry that is no directory, in the directory that is the target of that number.
   * @param storedName the name by which it is chosen, since it may get another one
   * @returns the row of that directory
   */
  async addSingle(entry: DirEntry, target: number, storedName: Uint8Array): Promise<number> {
    const row = this.#addDirectory(NO_ROW, target, entry);
    this.#storedNames.set(row, storedName);
    this.directories.columns.state[row] = DIRECTORY_STATE.foreign;
    const directories = [{ objectId: '', bytes: directoryOf(entry) }];
    const { keyBytes, runner } = this.#parts;
    const decoded = await runner.run('restoreDecode', { keyBytes, directories });
    await this.#append({ directories: [{ row, objectId: '', depth: 0 }], decoded });
    return row;
  }

  /**
   * The next part of the plan; undefined when there is no more.
   * @throws what ends the restore
   */
  async nextSection(): Promise<PlannedSection | undefined> {
    const pending = this.#pending;
    const ahead = 2 * this.#parts.runner.size;
    while (this.#hasRoom()) {
      throwIfAborted(this.#options.signal);
      while (this.#unread.length > 0 && pending.length < ahead) {
        const batch = this.#readBatch(this.#takeBatch());
        // A failure is met when its turn comes.
        batch.catch(() => undefined);
        pending.push(batch);
      }
      const first = pending.shift();
      if (first === undefined) break;
      await this.#append(await first);
    }
    const isFirst = !this.#isBegun;
    this.#isBegun = true;
    const section = this.#takeSection();
    return isFirst || section.table.entryCount > 0 || section.directories.length > 0
      ? section
      : undefined;
  }

  /** Tables double, so that half of what they may take is where they have to end. */
  #hasRoom(): boolean {
    const { entryCount, allocatedBytes } = this.#section;
    const isSmall = 2 * allocatedBytes < this.#options.sectionBytesMax;
    return entryCount === 0 || (entryCount < SECTION_ENTRIES_MAX && isSmall);
  }

  #takeSection(): PlannedSection {
    const names = { leads: this.#newLeads, links: this.#links };
    const section = { table: this.#section, ...names, directories: this.#planned };
    this.#section = new SectionTable(this.#parts.keyBytes);
    this.#newLeads = [];
    this.#links = [];
    this.#planned = [];
    return section;
  }

  #takeBatch(): UnreadDirectory[] {
    const batch: UnreadDirectory[] = [];
    let bytes = 0;
    while (batch.length < BATCH_DIRECTORIES && bytes < BATCH_BYTES) {
      const next = this.#unread.pop();
      if (next === undefined) break;
      batch.push(next);
      bytes += this.#parts.contents.find(next.objectId.replace(/^I*/, ''))?.originalBytes ?? 0;
    }
    return batch;
  }

  async #readBatch(batch: readonly UnreadDirectory[]): Promise<Batch> {
    const { runner, report, keyBytes } = this.#parts;
    const { signal } = this.#options;
    await this.#reader.announce(
      batch.map(({ objectId }) => objectId),
      { signal },
    );
    const read: UnreadDirectory[] = [];
    const bytes: { objectId: string; bytes: Uint8Array }[] = [];
    for (const directory of batch) {
      const { objectId, depth, row } = directory;
      try {
        if (depth >= TREE_DEPTH_MAX) throw tooDeep();
        bytes.push({
          objectId,
          bytes: await this.#reader.readDirectoryBytes(objectId, { signal }),
        });
        read.push(directory);
      } catch (error) {
        report.damage(this.paths.ofDirectory(row), error);
        this.#planned.push(unreadable(row));
      }
    }
    if (read.length === 0) return { directories: [], decoded: undefined };
    const decoded = await runner.run('restoreDecode', { keyBytes, directories: bytes });
    return { directories: read, decoded };
  }

  async #append({ directories, decoded }: Batch): Promise<void> {
    if (decoded === undefined) return;
    const rows = new BatchRows(decoded);
    let start = 0;
    for (const [index, directory] of directories.entries()) {
      const described = decoded.directories[index];
      await this.#appendDirectory(rows, start, described, directory);
      start = described.end;
    }
  }

  async #appendDirectory(
    rows: BatchRows,
    start: number,
    described: DecodedDirectory,
    { row, depth }: UnreadDirectory,
  ): Promise<void> {
    const { report } = this.#parts;
    const path = this.paths.ofDirectory(row);
    if (described.failure) {
      report.damage(path, deserializeError(described.failure));
      this.#planned.push(unreadable(row));
      return;
    }
    const { filter } = this.#options;
    for (const { name, ...problem } of described.problems) {
      const filtered = this.#filteredPath(row, Buffer.from(name));
      if (!(filter?.takes(filtered) ?? true)) continue;
      report.differ(this.paths.ofDirectory(row, name), [problem]);
    }
    this.#setSelf(row, rows, described);
    const entriesFrom = this.#section.entryCount;
    const directoriesFrom = this.directories.count;
    const children: UnreadDirectory[] = [];
    for (let at = start; at < described.end; at++) {
      if (rows.columns.kind[at] === DECODED_KIND.directory) {
        const child = this.#appendChild(rows, at, row);
        // What is not wanted is not read, so that its damage is nobody's.
        if (filter && !filter.mayTakeWithin(this.paths.bytesOf(child))) continue;
        children.push({ row: child, objectId: rows.objectIds.get(at) ?? '', depth: depth + 1 });
      } else {
        await this.#appendEntry(rows, at, row);
      }
    }
    // The first child is read first.
    for (const child of children.reverse()) this.#unread.push(child);
    this.#planned.push({
      row,
      entriesFrom,
      entriesTo: this.#section.entryCount,
      directoriesFrom,
      directoriesTo: this.directories.count,
      hasProblems: described.problems.length > 0,
    });
  }

  #setSelf(row: number, rows: BatchRows, { selfStart, selfBytes }: DecodedDirectory): void {
    if (selfBytes === 0) return;
    const { columns, texts } = this.directories;
    columns.extrasStart[row] = texts.add(rows.texts.subarray(selfStart, selfStart + selfBytes));
    columns.extrasBytes[row] = selfBytes;
  }

  #addDirectory(parent: number, target: number, entry: DirEntry): number {
    const row = this.directories.addRow();
    const { columns } = this.directories;
    columns.parent[row] = parent;
    columns.target[row] = target;
    columns.mode[row] = entry.mode;
    columns.uid[row] = entry.uid;
    columns.gid[row] = entry.gid;
    columns.mtimeSeconds[row] = entry.mtimeSeconds;
    columns.mtimeNanoseconds[row] = entry.mtimeNanoseconds;
    return row;
  }

  #appendChild(rows: BatchRows, at: number, parent: number): number {
    const row = this.directories.addRow();
    const { columns, texts } = this.directories;
    columns.parent[row] = parent;
    columns.target[row] = columns.target[parent];
    rows.copyAttributes(at, columns, row);
    columns.nameStart[row] = texts.add(rows.nameAt(at));
    columns.nameBytes[row] = rows.columns.nameBytes[at];
    if (!this.#isWanted(parent, rows.nameAt(at))) {
      columns.state[row] = DIRECTORY_STATE.unwanted;
    }
    return row;
  }

  #isWanted(directory: number, name: Uint8Array): boolean {
    const { filter } = this.#options;
    if (filter === undefined) return true;
    if (!filter.takes(this.#filteredPath(directory, name))) return false;
    const { state, parent } = this.directories.columns;
    for (let at = directory; at !== NO_ROW; at = parent[at]) {
      if (state[at] === DIRECTORY_STATE.unwanted) state[at] = DIRECTORY_STATE.passing;
    }
    return true;
  }

  #filteredPath(directory: number, name: Uint8Array): Uint8Array {
    return this.#storedNames.get(directory) ?? this.paths.bytesOf(directory, name);
  }

  async #appendEntry(rows: BatchRows, at: number, directory: number): Promise<void> {
    const name = rows.nameAt(at);
    if (!this.#isWanted(directory, name)) return;
    const row = this.#section.addEntry();
    const { entries, texts } = this.#section;
    rows.copyAttributes(at, entries, row);
    const { kind, bytes, nameBytes, extrasStart, extrasBytes } = rows.columns;
    entries.directory[row] = directory;
    entries.kind[row] = ENTRY_KINDS[kind[at]];
    entries.bytes[row] = bytes[at];
    entries.nameStart[row] = texts.add(name);
    entries.nameBytes[row] = nameBytes[at];
    if (extrasBytes[at] > 0) {
      const extras = rows.texts.subarray(extrasStart[at], extrasStart[at] + extrasBytes[at]);
      entries.extrasStart[row] = texts.add(extras);
      entries.extrasBytes[row] = extrasBytes[at];
    }
    entries.firstChunk[row] = this.#section.chunkCount;
    if (this.#isOtherName(rows, at, { directory, row })) {
      entries.action[row] = ENTRY_ACTION.link;
      if (!this.#options.mayBeTaken) return;
    }
    if (kind[at] !== DECODED_KIND.special) await this.#chunks.add(this.#section, rows, at, row);
  }

  /** Whether a file of several names was planned under another one already. */
  #isOtherName(
    rows: BatchRows,
    at: number,
    place: { readonly directory: number; readonly row: number },
  ): boolean {
    const group = rows.linkGroups.get(at);
    if (group === undefined) return false;
    const named = { ...place, name: rows.nameAt(at).slice() };
    // Snapshots number their files each for itself, and nobody's target is part of another.
    const key = `${this.directories.columns.target[place.directory]} ${group}`;
    const lead = this.#leads.get(key);
    if (lead !== undefined) {
      this.#links.push({ lead, ...named });
      return true;
    }
    const first = { ...named, isOurs: true };
    this.#leads.set(key, first);
    this.#newLeads.push(first);
    return false;
  }
}

const ENTRY_KINDS: Readonly<Record<number, number>> = Object.freeze({
  [DECODED_KIND.file]: ENTRY_KIND.file,
  [DECODED_KIND.symlink]: ENTRY_KIND.symlink,
  [DECODED_KIND.special]: ENTRY_KIND.special,
});

function unreadable(row: number): PlannedDirectory {
  return {
    row,
    entriesFrom: 0,
    entriesTo: 0,
    directoriesFrom: 0,
    directoriesTo: 0,
    hasProblems: true,
  };
}
