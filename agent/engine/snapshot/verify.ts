// Checks that snapshots can be restored: every directory is read and parsed, every content that
// anything needs is in the index with the length that its object says, file lengths are those of
// their entries, and a share of the files is read, which checks their hashes. Problems are
// collected; only an abort or a storage that fails ends a verification early.

import { throwIfAborted } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import { rootOf } from '#engine/format/snapshot-manifest.ts';
import { openObject, type ObjectReader } from '#engine/object/object-reader.ts';
import { isDamage } from './damage.ts';
import { type ListedSnapshot, snapshotsToRead } from './snapshots.ts';
import { extrasOf, idsFrom, joinPath, TreeReader } from './tree.ts';
import { tooDeep, TREE_DEPTH_MAX } from './tree-limits.ts';
import { wrongLength, type SnapshotStore } from './stored-path.ts';
import { SeenObjects } from './seen-objects.ts';
import { ReadSample } from './read-sample.ts';

export interface VerifyRequest {
  /** Ids or the beginnings of ids; all snapshots, incomplete ones too, when absent. */
  readonly snapshots?: readonly string[];
  /** How many of the files are read, 0 to 100; the same ones each time. */
  readonly readPercent: number;
}

export interface VerifyOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  readonly phase: 'verify';
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  readonly currentPath: string;
}

export interface VerifyProblem {
  readonly snapshotId: string;
  readonly path?: string;
  readonly contentId?: string;
  readonly code: string;
  readonly message: string;
}

export interface VerifyOutcome {
  readonly snapshots: number;
  /** Different directories and files; what several snapshots share is visited and counted once. */
  readonly directories: number;
  readonly files: number;
  readonly bytesRead: number;
  /** At most 1,000 of them. */
  readonly problems: readonly VerifyProblem[];
  readonly problemCount: number;
}

const PROBLEMS_LISTED_MAX = 1000;

/**
 * @throws SNAPSHOT_NOT_FOUND and SNAPSHOT_AMBIGUOUS for what was asked by name, USAGE, ABORTED, and
 *   failures of the storage
 */
export async function verify(
  store: SnapshotStore,
  request: VerifyRequest,
  options: VerifyOptions = {},
): Promise<VerifyOutcome> {
  const { readPercent } = request;
  if (!(readPercent >= 0 && readPercent <= 100)) {
    throw new EngineError('USAGE', `verifying ${readPercent} % of the files is not possible`);
  }
  const verification = new Verification(store, readPercent, options);
  const snapshots = await snapshotsToRead(store.manifests, request.snapshots, options);
  for (const snapshot of snapshots) await verification.snapshot(snapshot);
  return await verification.finish(snapshots.length);
}

/** Where in the repository something stands. */
interface Place {
  readonly snapshotId: string;
  readonly path: string;
}

interface OpenDirectory {
  readonly path: string;
  readonly entries: readonly DirEntry[];
  next: number;
}

class Verification {
  readonly #store: SnapshotStore;
  readonly #options: VerifyOptions;
  readonly #reader: TreeReader;
  readonly #seen = new SeenObjects();
  readonly #sample: ReadSample<Place>;
  readonly #problems: VerifyProblem[] = [];
  #problemCount = 0;
  #directories = 0;
  #files = 0;

  constructor(store: SnapshotStore, readPercent: number, options: VerifyOptions) {
    this.#store = store;
    this.#options = options;
    this.#reader = new TreeReader(store.contents);
    this.#sample = new ReadSample<Place>(store.contents, {
      percent: readPercent,
      signal: options.signal,
      onFailure: (place, error) => this.#problem(place, error),
    });
  }

  async snapshot({ id, read }: ListedSnapshot): Promise<void> {
    try {
      await this.#tree(id, rootOf(read()));
    } catch (error) {
      this.#problem({ snapshotId: id, path: '' }, error);
    }
  }

  async finish(snapshots: number): Promise<VerifyOutcome> {
    await this.#sample.flush();
    return {
      snapshots,
      directories: this.#directories,
      files: this.#files,
      bytesRead: this.#sample.bytesRead,
      problems: this.#problems,
      problemCount: this.#problemCount,
    };
  }

  async #tree(snapshotId: string, root: DirEntry): Promise<void> {
    const open: OpenDirectory[] = [{ path: '', entries: [root], next: 0 }];
    while (open.length > 0) {
      throwIfAborted(this.#options.signal);
      const level = open[open.length - 1];
      const index = level.next++;
      if (index === level.entries.length) {
        open.pop();
        continue;
      }
      const entry = level.entries[index];
      const path = open.length === 1 ? '' : joinPath(level.path, entry.name);
      const place = { snapshotId, path };
      const children = await this.#entry(place, entry, { level, index, depth: open.length });
      if (children) open.push({ path: place.path, entries: children, next: 0 });
    }
  }

  /** Checks one entry; what it holds when it is a directory that has not been visited. */
  async #entry(
    place: Place,
    entry: DirEntry,
    { level, index, depth }: { level: OpenDirectory; index: number; depth: number },
  ): Promise<readonly DirEntry[] | undefined> {
    const { signal } = this.#options;
    try {
      if (entry.type !== 'd') {
        await this.#object(place, entry);
        return undefined;
      }
      if (!this.#seen.add(entry.objectId)) return undefined;
      if (depth > TREE_DEPTH_MAX) throw tooDeep();
      this.#directories++;
      this.#progress(place);
      await this.#reader.announce(idsFrom(level.entries, index, 'd'), { signal });
      const { entries } = await this.#reader.readWhole(entry.objectId, { signal });
      // What a restore would stumble over.
      entries.forEach(extrasOf);
      return entries;
    } catch (error) {
      this.#problem(place, error);
      return undefined;
    }
  }

  async #object(place: Place, entry: DirEntry): Promise<void> {
    // The same object may stand elsewhere with another length, which is checked here each time.
    const isNew = this.#seen.add(`${entry.objectId} ${entry.bytes}`);
    if (!isNew) return;
    if (entry.type === 'f') this.#files++;
    this.#progress(place);
    const { contents } = this.#store;
    const reader = await openObject(contents, entry.objectId, this.#options);
    if (entry.type === 'f' && reader.bytes !== entry.bytes) {
      this.#problem(place, wrongLength(place.path, entry, reader.bytes));
    }
    await this.#chunks(place, reader);
    await this.#sample.offer(reader, place);
  }

  async #chunks(place: Place, reader: ObjectReader): Promise<void> {
    for await (const chunk of reader.chunks(this.#options)) {
      const found = this.#store.contents.find(chunk.contentId);
      if (found && (chunk.isCompressed || found.originalBytes === chunk.bytes)) continue;
      const { contentId, bytes } = chunk;
      const details = { contentId };
      const error = found
        ? new EngineError(
            'OBJECT_DAMAGED',
            `content ${contentId} has ${found.originalBytes} bytes where its object has ${bytes}`,
            { details },
          )
        : new EngineError('CONTENT_NOT_FOUND', `content ${contentId} is in no index`, { details });
      this.#problem(place, error);
    }
  }

  /** @throws `error` itself when it is no damage */
  #problem({ snapshotId, path }: Place, error: unknown): void {
    if (!isDamage(error)) throw error;
    this.#problemCount++;
    if (this.#problems.length >= PROBLEMS_LISTED_MAX) return;
    const { contentId } = error.details;
    const { code, message } = error;
    const content = typeof contentId === 'string' ? { contentId } : {};
    this.#problems.push({ snapshotId, path, ...content, code, message });
  }

  #progress({ path }: Place): void {
    this.#options.onProgress?.({
      phase: 'verify',
      files: this.#files,
      directories: this.#directories,
      bytes: this.#sample.bytesRead,
      currentPath: path,
    });
  }
}
