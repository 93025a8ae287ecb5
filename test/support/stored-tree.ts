// Builds stored trees for tests out of plain descriptions: directory objects, files and links as
// contents in memory, and the snapshot manifests that point at them.

import {
  compareEntries,
  encodeDirectory,
  encodeEntry,
  type DirEntry,
  type DirSummary,
} from '#engine/format/directory.ts';
import {
  encodeDirectoryExtras,
  encodeExtras,
  type EntryExtras,
  type SpecialEntry,
} from '#engine/format/entry-extras.ts';
import { encodeIndirect } from '#engine/format/indirect.ts';
import {
  encodeSnapshotManifest,
  type SnapshotManifest,
  snapshotLabels,
} from '#engine/format/snapshot-manifest.ts';
import { ManifestStore } from '#engine/manifest/manifest-store.ts';
import type { MemoryContents } from './memory-contents.ts';

export interface Metadata {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtimeSeconds?: number;
  readonly mtimeNanoseconds?: number;
  /** What kopia's entries cannot say; of a directory, what stands in its own object. */
  readonly extras?: EntryExtras;
}

export type Node = Metadata &
  (
    | { readonly file: string | Uint8Array; readonly chunkBytes?: number; readonly size?: number }
    | { readonly link: string }
    /** Pairs, so that a name can occur twice. */
    | {
        readonly directory: readonly (readonly [name: string, node: Node])[];
        readonly special?: readonly SpecialEntry[];
      }
    /** Refers to anything under any type. */
    | { readonly objectId: string; readonly type: string; readonly size?: number }
  );

const NO_FILES: DirSummary = Object.freeze({
  bytes: 0,
  files: 0,
  symlinks: 0,
  directories: 1,
  maxTimeSeconds: 0,
  maxTimeNanoseconds: 0,
  incomplete: '',
  failedCount: 0,
  ignoredErrorCount: 0,
  failedEntries: [],
});

/** Owners are those of this process, so that restoring needs no rights. */
function entryOf(name: string, node: Node, fields: Partial<DirEntry>): DirEntry {
  return {
    name,
    type: 'f',
    mode: node.mode ?? 0o644,
    bytes: 0,
    mtimeSeconds: node.mtimeSeconds ?? 1_700_000_000,
    mtimeNanoseconds: node.mtimeNanoseconds ?? 123_456_789,
    uid: node.uid ?? process.getuid?.() ?? 0,
    gid: node.gid ?? process.getgid?.() ?? 0,
    objectId: '',
    extra: fields.type === 'd' || node.extras === undefined ? undefined : encodeExtras(node.extras),
    ...fields,
  };
}

/** Stores `node` and what is below it. */
export function storeTree(contents: MemoryContents, node: Node, name = ''): DirEntry {
  if ('link' in node) {
    const bytes = Buffer.byteLength(node.link);
    return entryOf(name, node, {
      type: 's',
      mode: 0o777,
      bytes,
      objectId: contents.add(node.link),
    });
  }
  if ('directory' in node) return storeDirectory(contents, node, name);
  if ('objectId' in node) {
    const { objectId, type, size = 0 } = node;
    return entryOf(name, node, { type, objectId, bytes: size });
  }
  const data = Buffer.from(node.file);
  const objectId = storeFile(contents, data, node.chunkBytes ?? Infinity);
  return entryOf(name, node, { objectId, bytes: node.size ?? data.length });
}

function storeDirectory(
  contents: MemoryContents,
  node: Extract<Node, { directory: unknown }>,
  name: string,
): DirEntry {
  const entries = node.directory.map(([child, childNode]) => {
    return storeTree(contents, childNode, child);
  });
  const files = entries.filter(entry => entry.type === 'f');
  const below = entries.flatMap(entry => (entry.type === 'd' && entry.summary) || []);
  const sum = (of: (summary: DirSummary) => number) => below.reduce((n, s) => n + of(s), 0);
  const summary: DirSummary = {
    ...NO_FILES,
    bytes: files.reduce((n, entry) => n + entry.bytes, 0) + sum(s => s.bytes),
    files: files.length + sum(s => s.files),
    directories: 1 + sum(s => s.directories),
  };
  const texts = entries.sort(compareEntries).map(entry => encodeEntry(entry));
  const { extras, special = [] } = node;
  const extra = encodeDirectoryExtras({ self: extras, special });
  const objectId = contents.add(encodeDirectory(texts, summary, extra), 'k');
  return entryOf(name, node, { type: 'd', mode: node.mode ?? 0o755, objectId, summary });
}

/** Stores bytes as one content, or as a list of chunks when there are more. */
export function storeFile(contents: MemoryContents, data: Buffer, chunkBytes: number): string {
  if (data.length <= chunkBytes) return contents.add(data);
  const entries = [];
  for (let start = 0; start < data.length; start += chunkBytes) {
    const piece = data.subarray(start, start + chunkBytes);
    entries.push({ start, length: piece.length, objectId: contents.add(piece) });
  }
  return `I${contents.add(encodeIndirect(entries), 'x')}`;
}

export interface StoredSnapshotOptions {
  readonly startTimeNs?: bigint;
  readonly incomplete?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly path?: string;
}

/** A manifest store over the same contents; its revision is the number of m contents. */
export function manifestsOver(contents: MemoryContents): ManifestStore {
  return new ManifestStore({
    contents,
    revision: () => [...contents.entries('m')].length,
    writeManifestContent: async bytes => contents.add(bytes, 'm'),
  });
}

/** Adds a snapshot of `rootEntry` and returns its id. */
export function putSnapshot(
  manifests: ManifestStore,
  rootEntry: DirEntry,
  options: StoredSnapshotOptions = {},
): string {
  const { startTimeNs = 1_700_000_000_000_000_000n, incomplete = '', tags = {} } = options;
  const snapshot = snapshotWith({
    source: { host: 'host', userName: 'user', path: options.path ?? '/data' },
    startTimeNs,
    endTimeNs: startTimeNs + 1n,
    incomplete,
    rootEntry,
    tags,
  });
  return manifests.put(snapshotLabels(snapshot), encodeSnapshotManifest(snapshot));
}

/** A manifest of which only what is given means something. */
export function snapshotWith(given: Partial<SnapshotManifest>): SnapshotManifest {
  return {
    id: '',
    source: { host: 'h', userName: 'u', path: '/p' },
    description: '',
    startTimeNs: 0n,
    endTimeNs: 0n,
    stats: {
      totalBytes: 0,
      excludedTotalBytes: 0,
      fileCount: 0,
      cachedFileCount: 0,
      nonCachedFileCount: 0,
      directoryCount: 0,
      excludedFileCount: 0,
      excludedDirectoryCount: 0,
      ignoredErrorCount: 0,
      errorCount: 0,
    },
    incomplete: '',
    tags: {},
    pins: [],
    ...given,
  };
}
