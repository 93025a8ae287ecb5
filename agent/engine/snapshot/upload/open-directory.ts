// A directory of the source between being listed and being written: its entries as far as they are
// known, and how many are still being worked on. The main thread holds one for each directory on
// the way from the root to where the walk is, not one for each directory of the tree.

import { EngineError } from '#engine/base/errors.ts';
import { type DirEntry, type DirSummary, encodeEntry } from '#engine/format/directory.ts';
import { type DirectoryExtras, encodeExtras } from '#engine/format/entry-extras.ts';
import { goNameText } from '#engine/format/go-name.ts';
import type { Selection } from '#engine/snapshot/source/selection.ts';
import { directoryKey, makeRecord, markRacy } from '#engine/snapshot/source/change-record.ts';
import { type DirectoryRecord, RecordNode } from './record-order.ts';
import { directoryExtraText } from './directory-object.ts';
import { type Failure, failureAt, TotalsBuilder } from './part-totals.ts';
import { encodeText } from './piece-builder.ts';
import { PieceJoiner } from './piece-joiner.ts';
import type {
  ChildDirectory,
  EntryMetadata,
  DirectoryPage,
  PageOutput,
  RecordParts,
  DirectoryPiece,
  LargeFile,
  ScanOutput,
  UploadRun,
  WrittenDirectory,
} from './upload-tasks.ts';

/** A place among the entries that is filled when the work for it is done. */
export type Slot = Uint8Array | Slots | undefined;
export interface Slots {
  readonly list: Slot[];
  /** Of the entries in `list`, in their order. */
  stamps: Uint32Array;
}

export interface PlacedFile {
  readonly directory: OpenDirectory;
  readonly file: LargeFile;
  readonly slots: Slots;
  readonly position: number;
}

/** Entry texts of a directory that is not finished. */
export interface KnownEntries {
  /** Of child directories; numbers stand for those that are half done. */
  readonly children: readonly (Uint8Array | number)[];
  readonly pieces: readonly Uint8Array[];
  /** Memory that nobody else needs. */
  readonly fresh: readonly ArrayBuffer[];
}

export interface PlacedPage {
  readonly directory: OpenDirectory;
  readonly page: DirectoryPage;
  readonly slots: Slots;
}

/** Where a directory stands, and its metadata, unless it is the root. */
export type DirectoryPlace = Pick<OpenDirectory, 'names' | 'parent' | 'position'> & {
  readonly metadata?: ChildDirectory;
};

export interface TakenChild {
  readonly child: ChildDirectory;
  /** Among the children of its parent. */
  readonly position: number;
}

const NO_STAMPS = new Uint32Array(0);
/** What can be compared in some milliseconds. */
const COMPARED_ENTRIES_MAX = 2048;
/** Of a directory, besides its entries. */
const ENTRIES_A_DIRECTORY = 32;

export class OpenDirectory {
  readonly names: readonly Uint8Array[];
  readonly parent: OpenDirectory | undefined;
  /** Position among the children of `parent`. */
  readonly position: number;
  readonly metadata: ChildDirectory;
  readonly selection: Selection;
  readonly totals = new TotalsBuilder();
  readonly extras: DirectoryExtras;
  /** What comes of it, while it is being written: its entries are not here any more. */
  writing: Promise<WrittenDirectory | EngineError> | undefined;
  readonly #children: readonly ChildDirectory[];
  readonly #childSlots: Slots;
  readonly #slots: Slots;
  readonly #record: RecordParts;
  readonly order: RecordNode;
  readonly #previousCount: number;
  readonly #previousSummary: ScanOutput['previousSummary'];
  readonly #previousExtra: string;
  #isUnchanged: boolean;
  /** An entry without a place in the directory must have none in the record. */
  #isRecordWhole = true;
  #isPageLost = false;
  #nextChild = 0;
  #waitingFor = 0;

  constructor(place: DirectoryPlace & { readonly metadata: ChildDirectory }, scanned: ScanOutput) {
    this.names = place.names;
    this.parent = place.parent;
    this.position = place.position;
    this.metadata = place.metadata;
    this.selection = scanned.selection;
    this.#children = scanned.children;
    const list = Array.from<Slot>({ length: scanned.children.length });
    this.#childSlots = { list, stamps: NO_STAMPS };
    this.#slots = { list: [], stamps: scanned.record.entries };
    this.#record = scanned.record;
    this.order = new RecordNode(place.parent?.order, place.position);
    this.#previousCount = scanned.previousCount;
    this.#previousSummary = scanned.previousSummary;
    this.#previousExtra = scanned.previousExtra;
    this.extras = scanned.extras;
    this.#isUnchanged = scanned.isUnchanged;
    this.#waitingFor = scanned.children.length;
    this.totals.addPart(scanned.totals);
  }

  /** True when nothing is being worked on any more and the directory can be written. */
  get isComplete(): boolean {
    return this.#waitingFor === 0;
  }

  /**
   * The next child to list, or several that may be what they were and are compared together; none
   * when all have been handed out.
   */
  takeChildren(): TakenChild[] {
    const taken: TakenChild[] = [];
    let entries = 0;
    while (this.#nextChild < this.#children.length) {
      const child = this.#children[this.#nextChild];
      entries += entriesToCompare(child);
      if (taken.length > 0 && entries > COMPARED_ENTRIES_MAX) break;
      taken.push({ child, position: this.#nextChild++ });
    }
    return taken;
  }

  /** Objects in the parent snapshot of the child at `position` and of those after it. */
  previousIdsFrom(position: number): Iterable<string> {
    return previousIds(this.#children, position);
  }

  get hasMoreChildren(): boolean {
    return this.#nextChild < this.#children.length;
  }

  /** Makes places for pieces and returns those that others have to fill. */
  place(pieces: readonly DirectoryPiece[], slots: Slots = this.#slots): PlacedFile[] {
    const files: PlacedFile[] = [];
    for (const piece of pieces) {
      if (piece instanceof Uint8Array) {
        slots.list.push(piece);
        continue;
      }
      files.push({ directory: this, file: piece, slots, position: slots.list.length });
      slots.list.push(undefined);
    }
    this.#waitingFor += files.length;
    return files;
  }

  /** @param parent of pages that are the rest of one, which has been placed before */
  placePages(pages: readonly DirectoryPage[], parent: Slots = this.#slots): PlacedPage[] {
    this.#waitingFor += pages.length;
    return pages.map(page => {
      const slots: Slots = { list: [], stamps: NO_STAMPS };
      parent.list.push(slots);
      return { directory: this, page, slots };
    });
  }

  /** A page's entries have been stored; its large files, if any, have been placed before. */
  finishPage(slots: Slots, { isUnchanged, stamps }: PageOutput): void {
    slots.stamps = stamps;
    this.#isUnchanged &&= isUnchanged;
    this.#finishOne();
  }

  /**
   * The entries of a page could not be had, since the directory is gone or cannot be read any more.
   * @returns what to report, which is the same for all of its pages and comes with the first
   */
  failPage(run: UploadRun, { code, message }: EngineError): Failure | undefined {
    const isFirst = !this.#isPageLost;
    this.#isPageLost = true;
    this.#isRecordWhole = false;
    this.#isUnchanged = false;
    this.#finishOne();
    if (!isFirst) return undefined;
    const error = new EngineError(code, `${message}; what had not been read of it is missing`);
    const failure = failureAt(run, this.names, error, 'directory');
    this.totals.addFailure(failure);
    return failure;
  }

  /** `isSteady` when it was left alone while it was read. */
  finishFile(placed: PlacedFile, piece: Uint8Array | undefined, isSteady: boolean): void {
    const { slots, position, file } = placed;
    slots.list[position] = piece;
    if (piece === undefined) this.#isRecordWhole = false;
    else if (!isSteady) markRacy(slots.stamps, file.stampIndex);
    this.#isUnchanged = false;
    this.#finishOne();
  }

  /** `written` is undefined for a child that could not be stored. */
  finishChild(position: number, written: WrittenDirectory | undefined): void {
    this.#finishOne();
    const child = this.#children[position];
    if (written === undefined) {
      this.#isUnchanged = false;
      return;
    }
    this.totals.addDirectory(child, written.summary);
    this.#isUnchanged &&= isSameChild(child, written);
    this.#childSlots.list[position] = childText(child, written);
  }

  #finishOne(): void {
    // Written too early, it would lack what nobody names.
    if (this.#waitingFor === 0) throw new EngineError('INTERNAL', 'an entry was stored twice');
    this.#waitingFor -= 1;
  }

  /** What the next backup can know of it. */
  record(): DirectoryRecord | undefined {
    if (!this.#isRecordWhole) return undefined;
    const { own, special, digest } = this.#record;
    return makeRecord(directoryKey(this.names), own, [...stampsOf(this.#slots), special], digest);
  }

  /** Entry texts in kopia's order: directories first. */
  pieces(): Uint8Array[] {
    return [...flatten(this.#childSlots), ...flatten(this.#slots)];
  }

  /**
   * What is known so far, of a directory that waits for something.
   * @param openChildren a number for each child that is half done itself, by its position
   */
  known(openChildren: ReadonlyMap<number, number>): KnownEntries {
    const joiner = new PieceJoiner();
    const children: (Uint8Array | number)[] = [];
    for (const [position, slot] of this.#childSlots.list.entries()) {
      const open = openChildren.get(position);
      if (slot instanceof Uint8Array) joiner.add(slot, children);
      else if (open !== undefined) joiner.finish(children).push(open);
    }
    joiner.finish(children);
    const pieces: Uint8Array[] = [];
    for (const piece of flatten(this.#slots)) joiner.add(piece, pieces);
    joiner.finish(pieces);
    return { children, pieces, fresh: joiner.fresh };
  }

  /** The object of the parent snapshot when nothing at all has changed, else undefined. */
  unchanged(): WrittenDirectory | undefined {
    const { previous } = this.metadata;
    const isSame =
      this.#isUnchanged &&
      this.totals.isFlawless &&
      this.totals.entryCount === this.#previousCount &&
      directoryExtraText(this.extras) === this.#previousExtra;
    return isSame ? reusable(previous, this.#previousSummary) : undefined;
  }
}

/**
 * The object of the parent snapshot, unless its summary tells of failures: they are of that time,
 * and nothing has failed now.
 */
export function reusable(
  previous: { readonly objectId: string } | undefined,
  summary: DirSummary | undefined,
): WrittenDirectory | undefined {
  if (previous === undefined || summary === undefined) return undefined;
  const { failedCount, ignoredErrorCount, incomplete } = summary;
  const isFlawless = failedCount + ignoredErrorCount === 0 && incomplete === '';
  return isFlawless ? { objectId: previous.objectId, summary } : undefined;
}

function isSameChild(child: ChildDirectory, written: WrittenDirectory): boolean {
  const previous: DirEntry | undefined = child.previous;
  return (
    previous !== undefined &&
    previous.objectId === written.objectId &&
    previous.mode === child.mode &&
    previous.uid === child.uid &&
    previous.gid === child.gid &&
    previous.mtimeSeconds === child.mtimeSeconds &&
    previous.mtimeNanoseconds === child.mtimeNanoseconds
  );
}

/** Objects in the parent snapshot of children[from], children[from + 1], … that are there. */
export function* previousIds(children: readonly ChildDirectory[], from: number): Iterable<string> {
  for (let index = from; index < children.length; index++) {
    const { previous } = children[index];
    if (previous) yield previous.objectId;
  }
}

/** The text of a child directory's entry. */
export function childText(
  child: EntryMetadata,
  written: WrittenDirectory,
): Uint8Array<ArrayBuffer> {
  const extra = child.extras && encodeExtras(child.extras);
  const entry = { ...child, name: '', type: 'd', ...written, extra };
  return encodeText(encodeEntry(entry, goNameText(child.name)));
}

function* flatten({ list }: Slots): Generator<Uint8Array> {
  for (const slot of list) {
    if (slot instanceof Uint8Array) yield slot;
    else if (slot !== undefined) yield* flatten(slot);
  }
}

/** Of all entries in their order: what is nested lies behind the rest. */
function* stampsOf({ list, stamps }: Slots): Generator<Uint32Array> {
  yield stamps;
  for (const slot of list) {
    if (slot !== undefined && !(slot instanceof Uint8Array)) yield* stampsOf(slot);
  }
}

/** Infinity for one that cannot be told to be the same: it is new, resumed, or has children. */
function entriesToCompare({ previous, resumed }: ChildDirectory): number {
  const summary = previous?.summary;
  if (summary === undefined || resumed !== undefined || summary.directories !== 1) return Infinity;
  return summary.files + summary.symlinks + ENTRIES_A_DIRECTORY;
}
