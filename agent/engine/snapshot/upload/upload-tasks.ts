// What the upload has done in worker threads, and what goes back and forth for it.

import type { DirEntry, DirSummary } from '#engine/format/directory.ts';
import type { DirectoryExtras, EntryExtras } from '#engine/format/entry-extras.ts';
import type { BlockDevice } from '#engine/snapshot/source/block-device.ts';
import type { ChangeRules } from '#engine/snapshot/source/change-record.ts';
import type { SealedContent } from '#engine/workers/content-opener.ts';
import type { FileIdentity } from './partial-file.ts';
import type { ErrorRules } from './error-handling.ts';
import type { SharedUntouched, UntouchedRun } from './untouched-chunks.ts';
import type { Selection } from '#engine/snapshot/source/selection.ts';

/** Settings of one upload, the same for all its tasks. Threads know a run by its number. */
export interface UploadRun {
  readonly runId: number;
  /** The directory that is backed up, bytes of a path. */
  readonly root: Uint8Array;
  /** Cuts files; may be FastCDC. */
  readonly fileSplitter: string;
  /** Cuts directories and chunk lists; the repository's own. */
  readonly repositorySplitter: string;
  readonly compression: FileCompression;
  /** A name of compressors.ts, or `none`. */
  readonly metadataCompression: string;
  /** Files longer than this are cut anew at each multiple of it, as kopia does; 0: never. */
  readonly partBytes: number;
  readonly isNativeAllowed: boolean;
  /** What the whole run leaves out by name (source/git-rules.ts shareRules). */
  readonly excludes: SharedArrayBuffer | undefined;
  readonly changes: ChangeRules;
  readonly errorRules: ErrorRules;
  /**
   * A task comes back after this time with what it has, so that a checkpoint knows of it and a
   * flush has its turn.
   */
  readonly taskMsMax: number;
  /**
   * What has been seen of the source at this time or later may stand for it, by Date.now(); absent
   * when the run is to look for itself.
   */
  readonly seenSinceMs?: number;
  /** Set to 1 to end the run at the next file or chunk. */
  readonly stop: SharedArrayBuffer;
}

/** How contents of files are compressed. */
export type FileCompression =
  | { readonly kind: 'none' }
  /** A sample of each object decides. */
  | { readonly kind: 'auto'; readonly compressor: string }
  /** As a kopia policy says. */
  | {
      readonly kind: 'policy';
      readonly compressor: string;
      /** File name extensions with their dot. */
      readonly onlyCompress: readonly string[];
      readonly neverCompress: readonly string[];
      readonly minBytes: number;
      readonly maxBytes: number;
    };

/** An entry's metadata as it will be stored. */
export interface EntryMetadata {
  readonly name: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly bytes: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** What kopia's fields cannot say. */
  readonly extras?: EntryExtras;
}

/** What earlier snapshots have under the name of a child directory, where that is a directory. */
export interface EarlierChild {
  readonly previous: DirEntry | undefined;
  /** In incomplete snapshots after the parent, oldest first, where it is another object. */
  readonly resumed?: readonly DirEntry[];
}

export interface ChildDirectory extends EntryMetadata, EarlierChild {}

/** A file that is read by itself, by as many threads as have time. */
export interface LargeFile extends EntryMetadata {
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
  /** As in its FileIdentity; nothing of a device. */
  readonly inode: string;
  readonly device: string;
  /** Position of its stamp among those of its part of the directory. */
  readonly stampIndex: number;
  readonly resumed?: ResumedFile;
}

/** What an earlier run has read of a file, from its start. */
export interface ResumedFile {
  readonly objectId: string;
  readonly bytes: number;
}

/** Why something is not in the snapshot as it is in the source. */
export interface SkippedEntry {
  readonly path: string;
  readonly code: string;
  readonly message: string;
  /** It could not be read, and nothing that is in it is in the snapshot. */
  readonly isDirectory?: boolean;
}

/** What one task adds to the totals of its directory. */
export interface PartTotals {
  /** Without the directory itself. */
  readonly summary: DirSummary;
  readonly entryCount: number;
  readonly readFiles: number;
  readonly readBytes: number;
  /** Of files that were read by another of their names. */
  readonly linkedBytes: number;
  /** Files and links taken over from the parent snapshot. */
  readonly cachedCount: number;
  readonly cachedBytes: number;
  readonly excludedFiles: number;
  readonly excludedBytes: number;
  readonly excludedDirectories: number;
  readonly skipped: readonly SkippedEntry[];
  readonly skippedCount: number;
  readonly failedDirectoryCount: number;
}

/** Entry texts of kopia's directory JSON, joined by commas; or a file that is still to be read. */
export type DirectoryPiece = Uint8Array | LargeFile;

/** Names that are too many for one task; another thread may take them. */
export interface DirectoryPage {
  /** Each followed by a NUL. */
  readonly names: Uint8Array<ArrayBuffer>;
  /** One of ENTRY_TYPE each. */
  readonly types: Uint8Array<ArrayBuffer>;
  /**
   * Entry texts of the parent snapshot, joined by commas, and their stamps where they are known.
   */
  readonly previous: Uint8Array<ArrayBuffer>;
  readonly stamps: Uint32Array<ArrayBuffer> | undefined;
  /** Parts of files among them that an earlier run has read. */
  readonly partials?: readonly DirEntry[];
}

export interface DirectoryAddress {
  readonly run: UploadRun;
  /** Names that lead from the root to the directory. */
  readonly names: readonly Uint8Array[];
}

export interface ScanInput extends DirectoryAddress {
  readonly selection: Selection;
  /** The same directory in the parent snapshot. */
  readonly previous: PreviousObject | undefined;
  /** What is known of it beside the parent snapshot (change-record.ts). */
  readonly known: Uint32Array | undefined;
  /** The same directory in incomplete snapshots after the parent, oldest first. */
  readonly resumed?: readonly PreviousObject[];
}

/** A directory of which everything may be as it is known. */
export interface ComparedDirectory {
  /** Names that lead to it from the root. */
  readonly names: readonly Uint8Array[];
  readonly selection: Selection;
  readonly known: Uint32Array;
}

export interface CompareInput {
  readonly run: UploadRun;
  readonly directories: readonly ComparedDirectory[];
}

export interface CompareOutput {
  readonly metadata: EntryMetadata;
  readonly totals: PartTotals;
}

export interface PreviousObject {
  readonly objectId: string;
  /** The bytes of the directory object. */
  readonly bytes: Uint8Array;
  /** How to open `bytes`, where they are those of the object's only content, sealed. */
  readonly sealed?: Omit<SealedContent, 'offset' | 'length'>;
}

export interface ScanOutput {
  readonly metadata: EntryMetadata;
  /** What enterDirectory wants for the children. */
  readonly selection: Selection;
  readonly children: readonly ChildDirectory[];
  readonly pieces: readonly DirectoryPiece[];
  readonly pages: readonly DirectoryPage[];
  readonly totals: PartTotals;
  /** Whether every file and link was taken over and none is missing. */
  readonly isUnchanged: boolean;
  /** What kopia's fields cannot say of the directory, and of what has no entry. */
  readonly extras: DirectoryExtras;
  /** Entries, extra fields as JSON and summary of the directory in the parent snapshot. */
  readonly previousCount: number;
  readonly previousExtra: string;
  readonly previousSummary: DirSummary | undefined;
  /** Parts of the directory's record; pages have those of their entries. */
  readonly record: RecordParts;
  /** Earlier objects that could not be opened. */
  readonly damaged?: readonly string[];
  /** The object, where nothing is left to wait for. */
  readonly written: WrittenDirectory | undefined;
}

/** Stamps of a directory itself, of its entries, of what has no entry; and entries-digest.ts. */
export interface RecordParts {
  readonly own: Uint32Array;
  readonly entries: Uint32Array;
  readonly special: Uint32Array;
  readonly digest: Uint32Array | undefined;
}

export interface WrittenDirectory {
  readonly objectId: string;
  readonly summary: DirSummary;
}

export interface PageInput extends DirectoryAddress {
  readonly selection: Selection;
  readonly page: DirectoryPage;
}

export interface PageOutput {
  readonly pieces: readonly DirectoryPiece[];
  readonly totals: PartTotals;
  readonly isUnchanged: boolean;
  readonly stamps: Uint32Array;
  /** What there was no time for. */
  readonly rest: DirectoryPage | undefined;
}

/** Chunks that one thread has read of a file, in the order in which it took them. */
export interface FileChunks {
  readonly starts: Float64Array<ArrayBuffer>;
  readonly lengths: Uint32Array<ArrayBuffer>;
  /** Positions of the chunks' ids among `contentIds`. */
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly contentIds: readonly string[];
}

/** Where the bytes of a large file are: a name in a directory, or a device that is open. */
export interface FileAddress extends DirectoryAddress {
  readonly device?: BlockDevice;
  /** Of a device: what need not be read. */
  readonly untouched?: SharedUntouched;
  /** Whether the names have to be followed anew: they have led to several files. */
  readonly isAfresh?: boolean;
}

export interface ReadFileInput extends FileAddress {
  readonly file: LargeFile;
  /** See chunk-token.ts. */
  readonly token: SharedArrayBuffer;
}

/** What one thread has read of a file until its time was over. */
export interface ReadFileOutput {
  readonly chunks: FileChunks;
  /** Of the file that was read. */
  readonly identity: FileIdentity;
  /** Chunks of the parent that were passed over. */
  readonly passed?: readonly UntouchedRun[];
}

/** What has been read of a file, for a checkpoint. */
export interface PartialFileInput {
  readonly file: LargeFile;
  readonly chunks: readonly FileChunks[];
  /** Absent when it must not be gone on with. */
  readonly identity: FileIdentity | undefined;
}

export interface FinishFileInput extends FileAddress {
  readonly file: LargeFile;
  readonly chunks: readonly FileChunks[];
  /** 1, or 2 when it is being read once more. */
  readonly attempt: number;
  /** Whether all tasks that read it have read the file that was listed, as it was then. */
  readonly isOneFile: boolean;
}

export interface FinishFileOutput {
  readonly piece: Uint8Array;
  readonly bytes: number;
  readonly objectId: string;
  /** Whether the file was written to while it was read. */
  readonly skipped: SkippedEntry | undefined;
  /** How it is now, where it was written to and may be read once more. */
  readonly changed: LargeFile | undefined;
}

/** A device that has been read to its end. */
export type FinishDeviceInput = Pick<FinishFileInput, 'run' | 'file' | 'chunks'>;

export interface WriteDirectoryInput {
  readonly run: UploadRun;
  readonly pieces: readonly Uint8Array[];
  readonly summary: DirSummary;
  readonly extras: DirectoryExtras;
}

/** A directory that a checkpoint finds half done, or just being written. */
export type PartialDirectory = HalfDoneDirectory | JustWrittenDirectory;

export interface HalfDoneDirectory {
  readonly metadata: EntryMetadata;
  readonly extras: DirectoryExtras;
  /** Entry texts of child directories; positions of those that are in the list before this one. */
  readonly children: readonly (Uint8Array | number)[];
  /** Entry texts of everything else that is finished. */
  readonly pieces: readonly Uint8Array[];
  /** What has been read of large files. */
  readonly files: readonly PartialFileInput[];
  /** Without children that are half done themselves. */
  readonly totals: PartTotals;
}

export interface JustWrittenDirectory {
  readonly metadata: EntryMetadata;
  readonly written: WrittenDirectory;
}

export interface CheckpointInput {
  readonly run: UploadRun;
  /** Children before their parents, the root last. */
  readonly directories: readonly PartialDirectory[];
  /** What has been read of a file that is itself the root; then there are no directories. */
  readonly file?: PartialFileInput;
  /** Why it is incomplete. */
  readonly reason: string;
}

export interface CheckpointOutput {
  readonly root: WrittenDirectory | undefined;
  /** The entry of what there is of a file. */
  readonly file: DirEntry | undefined;
}

/** A content of what is known beside the snapshot. */
export interface WriteChangesInput {
  readonly run: UploadRun;
  readonly bytes: Uint8Array;
}

export interface ListChangesInput {
  readonly run: UploadRun;
  readonly contentIds: readonly string[];
  readonly lengths: readonly number[];
}

// An alias and not an interface, because only aliases fit the index signature of TaskMap.
export type UploadTasks = {
  /** Undefined for each that differs. */
  compareDirectories: { input: CompareInput; output: readonly (CompareOutput | undefined)[] };
  scanDirectory: { input: ScanInput; output: ScanOutput };
  storePage: { input: PageInput; output: PageOutput };
  readFile: { input: ReadFileInput; output: ReadFileOutput };
  finishFile: { input: FinishFileInput; output: FinishFileOutput };
  readDevice: { input: ReadFileInput; output: ReadFileOutput };
  finishDevice: {
    input: FinishDeviceInput;
    output: Pick<FinishFileOutput, 'piece' | 'bytes' | 'objectId'>;
  };
  writeDirectory: { input: WriteDirectoryInput; output: { readonly objectId: string } };
  writeCheckpoint: { input: CheckpointInput; output: CheckpointOutput };
  writeChanges: { input: WriteChangesInput; output: { readonly contentId: string } };
  listChanges: { input: ListChangesInput; output: { readonly objectId: string } };
  /** Gives back what a thread holds for a run. */
  endUpload: { input: { readonly runId: number }; output: undefined };
};
