// What a restore has done in worker threads. Rows are those of plan-tables.ts, of the section that
// the thread has entered.

import type { SerializedError } from '#engine/base/errors.ts';
import type {
  AttributeDifference,
  AttributePolicy,
} from '#engine/snapshot/target/wanted-attributes.ts';
import type { DecodedDirectories, DecodeInput } from './decode-directories.ts';
import type { SharedSection } from './plan-tables.ts';

/** What to do about files and links that the target holds already. Directories are kept. */
export type Overwrite = 'never' | 'if-different' | 'always';

/** Settings of one restore, the same for all its tasks. Threads know a run by its number. */
export interface RestoreRun {
  readonly runId: number;
  /** Paths of the directories that everything is beneath. */
  readonly targets: readonly Uint8Array[];
  /** Undefined where nothing can be in the way, because all targets were empty. */
  readonly overwrite: Overwrite | undefined;
  /** Files that are there are written where they differ, instead of being replaced. */
  readonly isDelta: boolean;
  /** What the snapshot does not have is removed, directories in the way of files among it. */
  readonly isRemovingExtra: boolean;
  /** Nothing extra is removed from this directory, whichever path leads to it. */
  readonly repositoryDirectory?: Uint8Array;
  /** Runs of zeros are left as holes where the snapshot does not know of holes. */
  readonly isSparse: boolean;
  /** Bytes of files are read again; no other name becomes a link to what was not read. */
  readonly isVerified: boolean;
  /** Nothing is written; directories that would be made count as made. */
  readonly isDryRun: boolean;
  readonly policy: AttributePolicy;
  readonly isNativeAllowed: boolean;
  /** Set to 1 to end the run at the next file or chunk. */
  readonly stop: SharedArrayBuffer;
}

export interface SectionAddress {
  readonly runId: number;
}

/** Something that the outcome has to name. */
export interface RowProblem {
  /** A row of the directories, or of the entries. */
  readonly row: number;
  readonly isDirectory: boolean;
  readonly differences: readonly AttributeDifference[];
  /** The entry could not be made; the restore goes on with others. */
  readonly failure?: SerializedError;
  /** Its content is damaged in the repository, or not there. */
  readonly isDamage?: boolean;
}

export interface WorkOutcome {
  /** Files that are whole now. */
  readonly files: number;
  /** Bytes of files that were written. */
  readonly bytes: number;
  readonly problems: readonly RowProblem[];
}

export interface RowsInput extends SectionAddress {
  readonly rows: Uint32Array;
}

/** Sealed bytes of a pack: in a file of the storage, or at hand. */
export type RangeSource =
  | { readonly path: string; readonly offset: number; readonly length: number }
  | { readonly bytes: Uint8Array };

export interface RangeInput extends SectionAddress {
  readonly source: RangeSource;
  /** Offset in the pack of the first of these bytes. */
  readonly packOffset: number;
  /** Chunks whose contents lie in it, by offset. */
  readonly chunks: Uint32Array;
  /** Whether damaged contents may be sound elsewhere, and their chunks are not given up yet. */
  readonly isCached: boolean;
}

export interface RangeOutcome extends WorkOutcome {
  /** Chunks that were left out, in the order that they came in. */
  readonly damaged: readonly number[];
}

/** A content that was read by itself, or could not be. */
export interface ContentInput extends SectionAddress {
  readonly chunks: Uint32Array;
  readonly bytes?: Uint8Array;
  readonly failure?: SerializedError;
}

export interface HardLink {
  /** Of the entry that becomes a link. */
  readonly row: number;
  readonly fromDirectory: number;
  readonly fromName: Uint8Array;
  readonly toDirectory: number;
  readonly toName: Uint8Array;
}

export interface LinksInput extends SectionAddress {
  readonly links: readonly HardLink[];
}

export interface LinksOutcome {
  /** By position in the input: why a link could not be made. */
  readonly failures: readonly (readonly [index: number, failure: SerializedError])[];
}

export interface ExtraInput extends SectionAddress {
  readonly directories: readonly {
    readonly row: number;
    readonly entriesFrom: number;
    readonly entriesTo: number;
    readonly directoriesFrom: number;
    readonly directoriesTo: number;
  }[];
  /** Only says what would go. */
  readonly isDryRun: boolean;
}

export interface ExtraOutcome {
  /** Names that were removed, or would be. */
  readonly removed: readonly { readonly row: number; readonly name: Uint8Array }[];
  readonly problems: readonly RowProblem[];
}

export interface ExamineOutcome {
  /** Files that stay as they are. */
  readonly kept: number;
  /** Bytes of files that are there already, so that they need not be fetched. */
  readonly presentBytes: number;
  readonly problems: readonly RowProblem[];
}

/** Chunks of files that are there. */
export interface CompareInput extends SectionAddress {
  readonly chunks: Uint32Array;
}

export type CompareOutcome = Omit<ExamineOutcome, 'kept'>;

// An alias and not an interface, because only aliases fit the index signature of TaskMap.
export type RestoreTasks = {
  /** Takes over the tables of a section, and the run with its first one. */
  restoreEnter: {
    input: { readonly run: RestoreRun; readonly section: SharedSection };
    output: undefined;
  };
  restoreDecode: { input: DecodeInput; output: DecodedDirectories };
  /** Makes directories, parents before children. */
  restoreDirectories: { input: RowsInput; output: WorkOutcome };
  /** Compares entries with what is there and sets their actions. */
  restoreExamine: { input: RowsInput; output: ExamineOutcome };
  /** Marks chunks of large files that the target has already. */
  restoreCompare: { input: CompareInput; output: CompareOutcome };
  restoreRange: { input: RangeInput; output: RangeOutcome };
  restoreContent: { input: ContentInput; output: WorkOutcome };
  /** Entries that need no content any more. */
  restorePlain: { input: RowsInput; output: WorkOutcome };
  /** Waits until all that was written to the targets is on their disks. */
  restoreWriteBack: {
    input: SectionAddress;
    /** Attributes that cannot be seen here at all. */
    output: { readonly unseen: readonly string[] };
  };
  /** Gives files that were written and written back their attributes. */
  restoreFinish: { input: RowsInput; output: WorkOutcome };
  restoreLinks: { input: LinksInput; output: LinksOutcome };
  restoreExtra: { input: ExtraInput; output: ExtraOutcome };
  /** Gives directories their attributes, children before parents. */
  restoreSettle: { input: RowsInput; output: WorkOutcome };
  /** Reads files again and compares them with the ids of their contents. */
  restoreVerify: { input: RowsInput; output: WorkOutcome };
  /** Gives back what a thread holds for a run. */
  endRestore: { input: { readonly runId: number }; output: undefined };
};
