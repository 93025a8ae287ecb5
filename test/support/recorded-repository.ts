// A repository that a real kopia wrote, with what is in it beside it: expected.json (format,
// manifests, snapshots with every entry as stat and hashing saw it at the source) and contents.json
// (what `kopia content list --json --deleted` printed). Reads all of it and compares.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { openObject } from '#engine/object/object-reader.ts';
import {
  listSnapshots,
  listTree,
  openRepository,
  type Repository,
  restore,
  type TreeEntry,
  verify,
} from '#engine/index.ts';
import {
  type ListedEntry,
  listingDifferences,
  lostWithoutRoot,
  treeListing,
} from './tree-listing.ts';

export interface ExpectedEntry extends ListedEntry {
  /** Object id. */
  readonly obj: string;
}

export interface ExpectedSnapshot {
  readonly id: string;
  readonly source: { readonly host: string; readonly userName: string; readonly path: string };
  readonly description: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly incomplete?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly pins?: readonly string[];
  readonly rootObject: string;
  /** The first is the root. */
  readonly entries: readonly ExpectedEntry[];
}

export interface ExpectedRepository {
  readonly password: string;
  readonly writtenBy: string;
  readonly keyAlgo: string;
  readonly format: {
    readonly version: number;
    readonly hash: string;
    readonly encryption: string;
    readonly splitter: string;
    readonly indexVersion: number;
    readonly epochs: boolean;
  };
  readonly indexBlobs?: readonly string[];
  readonly manifests: readonly {
    readonly id: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
  readonly snapshots: readonly ExpectedSnapshot[];
}

/** As kopia prints a content. */
export interface ExpectedContent {
  readonly contentID: string;
  readonly packFile: string;
  readonly packOffset: number;
  readonly length: number;
  readonly originalLength: number;
  readonly time: number;
  readonly deleted: boolean;
  readonly formatVersion: number;
  readonly compression?: number;
}

export interface RecordedRepository {
  /** Of the storage. */
  readonly url: string;
  readonly expected: ExpectedRepository;
  readonly contents: readonly ExpectedContent[];
  /** An empty directory to restore into. */
  readonly scratch: string;
}

export async function readExpected(
  folder: string,
): Promise<Pick<RecordedRepository, 'expected' | 'contents'>> {
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(folder, name), 'utf8'));
  // Both are recorded files of these forms.
  return {
    expected: (await read('expected.json')) as ExpectedRepository,
    contents: (await read('contents.json')) as ExpectedContent[],
  };
}

/** Opens, lists, verifies and restores everything, and compares it with what was recorded. */
export async function readsAsExpected(t: Test, recorded: RecordedRepository): Promise<void> {
  const { url, expected, contents } = recorded;
  const { password } = expected;
  await using repository = await openRepository({ url, password, threads: 1, isReadOnly: true });
  await hasFormat(t, repository, expected);
  t.same(indexedContents(repository), contents.toSorted(byContentId), 'the index is kopia’s');
  const manifests = await repository.manifests.find({});
  const found = manifests.map(({ id, labels }) => ({ id, labels }));
  t.same(found.sort(byId), expected.manifests.toSorted(byId), 'manifests and labels');
  t.same(await snapshotsOf(repository), expected.snapshots.map(headOf).sort(byId), 'snapshots');
  const { problems, snapshots } = await verify(repository, { readPercent: 100 });
  t.same(problems, [], 'nothing is damaged');
  t.equal(snapshots, expected.snapshots.length);
  for (const snapshot of expected.snapshots) {
    await listsAsExpected(t, repository, snapshot);
    const target = join(recorded.scratch, snapshot.id);
    await restoresAsExpected(t, repository, { snapshot, target });
  }
}

async function hasFormat(
  t: Test,
  repository: Repository,
  { format, keyAlgo, indexBlobs }: ExpectedRepository,
): Promise<void> {
  const { keyDerivation, ...found } = await repository.info();
  t.match(found, {
    formatVersion: format.version,
    hash: format.hash,
    encryption: format.encryption,
    splitter: format.splitter,
    indexVersion: format.indexVersion,
    hasEpochs: format.epochs,
  });
  t.equal(keyDerivation, keyAlgo);
  if (indexBlobs) t.same([...repository.parts.index.blobIds].sort(), indexBlobs.toSorted());
}

function indexedContents({ contents }: Repository): ExpectedContent[] {
  const found: ExpectedContent[] = [];
  for (const entry of contents.entries()) {
    found.push({
      packFile: entry.packId,
      time: entry.timestampSeconds,
      originalLength: entry.originalBytes,
      length: entry.packedBytes,
      packOffset: entry.packOffset,
      contentID: entry.contentId,
      deleted: entry.isDeleted,
      formatVersion: entry.formatVersion,
      ...(entry.compressionId === 0 ? {} : { compression: entry.compressionId }),
    });
  }
  return found.sort(byContentId);
}

type SnapshotHead = Omit<ExpectedSnapshot, 'rootObject' | 'entries'>;

async function snapshotsOf(repository: Repository): Promise<SnapshotHead[]> {
  const found = await listSnapshots(repository, { includeIncomplete: true });
  return found
    .map(({ id, source, description, startTime, endTime, incomplete, tags, pins }) => {
      const { user, host, path } = source;
      const owner = { host, userName: user, path };
      return headOf({ id, source: owner, description, startTime, endTime, incomplete, tags, pins });
    })
    .sort(byId);
}

function headOf(snapshot: SnapshotHead): SnapshotHead {
  const { id, source, description, startTime, endTime } = snapshot;
  const { incomplete = '', tags = {}, pins = [] } = snapshot;
  return { id, source, description, startTime, endTime, incomplete, tags, pins };
}

async function listsAsExpected(
  t: Test,
  repository: Repository,
  { id, entries }: ExpectedSnapshot,
): Promise<void> {
  const found = new Map<string, TreeEntry>();
  for await (const entry of listTree(repository, id, { isRecursive: true })) {
    found.set(entry.path, entry);
  }
  const below = entries.filter(entry => entry.path !== '.');
  const wrong = below.filter(entry => found.get(entry.path)?.objectId !== entry.obj);
  t.same(wrong, [], `${id} lists every entry with its object id`);
  const [root] = entries;
  t.equal(found.size, root.type === 'd' ? below.length : 1, 'and no other');
}

async function restoresAsExpected(
  t: Test,
  repository: Repository,
  { snapshot, target }: { readonly snapshot: ExpectedSnapshot; readonly target: string },
): Promise<void> {
  const outcome = await restore(repository, { snapshot: snapshot.id, target });
  // Velero stores a block device under its path, which must not become a name on a disk, and in a
  // directory without a time, which is in the year 1754: not every file system goes back so far.
  const devices = snapshot.entries.filter(({ path }) => path.startsWith('/'));
  const without = (entry: ListedEntry): readonly (keyof ListedEntry)[] => {
    const lost = lostWithoutRoot(entry);
    return devices.length > 0 ? [...lost, 'mtime'] : lost;
  };
  for (const device of devices) {
    t.equal(await sha256OfObject(repository, device.obj), device.sha256, device.path);
  }
  const differences = outcome.differences.filter(({ path, attribute }) => {
    const [root] = snapshot.entries;
    const isRoot = root.type === 'f' || path === '';
    const entry = isRoot ? root : snapshot.entries.find(candidate => candidate.path === path);
    return !entry || !without(entry).some(name => name === attribute);
  });
  t.equal(differences.length, devices.length, `${snapshot.id} comes back but for devices`);
  const expected = snapshot.entries.filter(entry => !devices.includes(entry));
  const listing = await treeListing(target);
  t.same(listingDifferences(expected, listing, { without }), [], 'as it was');
}

async function sha256OfObject({ contents }: Repository, objectId: string): Promise<string> {
  const hash = createHash('sha256');
  const object = await openObject(contents, objectId);
  for await (const piece of object.stream()) hash.update(piece);
  return hash.digest('hex');
}

function byContentId(a: ExpectedContent, b: ExpectedContent): number {
  return a.contentID < b.contentID ? -1 : 1;
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}
