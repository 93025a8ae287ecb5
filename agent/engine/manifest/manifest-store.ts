// The manifests of a repository: small labelled JSON documents, among them the snapshots. They lie
// in contents with prefix m, all of which are loaded at once and again when the index has changed
// (kopia repo/manifest/manifest_manager.go). What is put or deleted here is seen here at once, is
// written as one content by flush(), and exists for others when the index has been committed after
// that. Compacting many contents into one is left to kopia.

import { randomBytes } from 'node:crypto';
import { throwIfAborted } from '#engine/base/abort.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import { MANIFEST_PREFIX } from '#engine/format/content-id.ts';
import {
  decodeManifests,
  deletionOf,
  encodeManifests,
  liveManifests,
  matchesLabels,
  newManifestEntry,
  type Labels,
  type ManifestEntry,
} from '#engine/format/manifest.ts';

export interface Manifest {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly labels: Labels;
  /** Nanoseconds since 1970. */
  readonly modifiedNs: bigint;
  /** The document as JSON text, just as it is stored. */
  readonly data: string;
}

/** What a deletion has to know of a manifest. */
export type StoredManifest = Pick<Manifest, 'id' | 'modifiedNs'>;

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** What listing, restoring and verifying need of the manifests. */
export interface ManifestReader {
  /**
   * The manifests that have all of `labels`, the oldest first.
   * @throws MANIFEST_DAMAGED naming the content, and what reading contents throws
   */
  find(labels: Labels, options?: CallOptions): Promise<Manifest[]>;

  /** The manifest of that id, undefined when there is none. Throws as find does. */
  get(id: string, options?: CallOptions): Promise<Manifest | undefined>;
}

export interface ManifestStoreParts {
  readonly contents: ContentSource;
  /** Changes whenever the entries of the index may have. */
  readonly revision: () => number;
  /** Stores one content of prefix m, uncommitted; resolves to its id. */
  readonly writeManifestContent: (bytes: Uint8Array) => Promise<string>;
  readonly clock?: Clock;
}

interface Loading {
  readonly revision: number;
  readonly entries: Promise<readonly ManifestEntry[]>;
}

interface Written {
  readonly contentId: string;
  readonly entries: readonly ManifestEntry[];
}

/** Somebody compacts while we read: how often to begin again. */
const LOAD_ATTEMPTS_MAX = 3;

export class ManifestStore implements ManifestReader {
  readonly #parts: ManifestStoreParts;
  readonly #clock: Clock;
  #loading: Loading | undefined;
  /** Written by us, but the index that was loaded last did not have the content yet. */
  #written: Written[] = [];
  #pending: ManifestEntry[] = [];
  #flushing: Promise<void> = Promise.resolve();
  #lastModifiedNs = 0n;

  constructor(parts: ManifestStoreParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
  }

  /** The same manifests, those that are stored read from other `contents` of the same index. */
  readFrom(contents: ContentSource): ManifestReader {
    const other = new ManifestStore({ ...this.#parts, contents });
    other.#written = [...this.#written];
    other.#pending = [...this.#pending];
    return other;
  }

  async find(labels: Labels, options: CallOptions = {}): Promise<Manifest[]> {
    const live = await this.#live(options);
    return [...live.values()].filter(entry => matchesLabels(entry.labels, labels)).sort(byAge);
  }

  async get(id: string, options: CallOptions = {}): Promise<Manifest | undefined> {
    return (await this.#live(options)).get(id);
  }

  /**
   * Adds a manifest and returns its id. It is durable after flush() and a commit of the index.
   * @param data the document as JSON text
   * @throws USAGE without a label `type`
   */
  put(labels: Labels, data: string): string {
    const entry = newManifestEntry(labels, data, this.#nextTime(0n), randomBytes);
    this.#pending.push(entry);
    return entry.id;
  }

  /** Deletes a manifest, durably after flush() and a commit of the index; false when unknown. */
  async delete(id: string, options: CallOptions = {}): Promise<boolean> {
    const entry = (await this.#live(options)).get(id);
    if (entry) this.drop(entry);
    return entry !== undefined;
  }

  /**
   * The same for one that is known to be there. Nothing is loaded for it.
   * @returns takes it back, when it could not be committed
   */
  drop({ id, modifiedNs }: StoredManifest): () => void {
    const deletion = deletionOf(id, this.#nextTime(modifiedNs));
    this.#pending.push(deletion);
    return () => this.#forget(entry => entry === deletion);
  }

  /** Forgets a manifest that was put and could not be committed. */
  withdraw(id: string): void {
    this.#forget(entry => entry.id === id);
  }

  #forget(isMeant: (entry: ManifestEntry) => boolean): void {
    const isOther = (entry: ManifestEntry): boolean => !isMeant(entry);
    this.#pending = this.#pending.filter(isOther);
    this.#written = this.#written.map(({ contentId, entries }) => {
      return { contentId, entries: entries.filter(isOther) };
    });
  }

  /**
   * Writes what was put and deleted as one content; nothing when there is nothing. After a failure
   * it is still waiting and the next flush tries again.
   */
  async flush(): Promise<void> {
    // One after another, so that no entry goes into two contents.
    const flushed = this.#flushing.then(() => this.#writePending());
    this.#flushing = flushed.catch(() => undefined);
    await flushed;
  }

  async #writePending(): Promise<void> {
    const entries = [...this.#pending];
    if (entries.length === 0) return;
    const contentId = await this.#parts.writeManifestContent(encodeManifests(entries));
    this.#written.push({ contentId, entries });
    // Not by count: one of them may have been withdrawn meanwhile.
    this.#pending = this.#pending.filter(entry => !entries.includes(entry));
  }

  async #live({ signal }: CallOptions): Promise<Map<string, ManifestEntry>> {
    throwIfAborted(signal);
    const stored = await this.#load();
    throwIfAborted(signal);
    return liveManifests([stored, ...this.#written.map(({ entries }) => entries), this.#pending]);
  }

  /** Callers at the same time share one load, which is why none of them can abort it. */
  async #load(): Promise<readonly ManifestEntry[]> {
    for (;;) {
      const loading = this.#currentLoading();
      const entries = await loading.entries;
      // A later one has taken from #written what it found, which this one may not have. Each time
      // it is one that began later, for another revision.
      if (this.#loading === loading) return entries;
    }
  }

  #currentLoading(): Loading {
    const revision = this.#parts.revision();
    if (this.#loading?.revision === revision) return this.#loading;
    const loading = { revision, entries: this.#read() };
    this.#loading = loading;
    loading.entries.catch(() => {
      if (this.#loading === loading) this.#loading = undefined;
    });
    return loading;
  }

  async #read(): Promise<ManifestEntry[]> {
    for (let attempt = 1; ; attempt++) {
      const revision = this.#parts.revision();
      try {
        const { entries, found } = await this.#readContents();
        // What the index had, even as deleted, counts alone: keeping our copy would bring back
        // what others have deleted and compacted away since. Not what it has now: a flush while
        // we read has put contents there that are not among these.
        this.#written = this.#written.filter(({ contentId }) => !found.has(contentId));
        return entries;
      } catch (error) {
        const hasMoved = this.#parts.revision() !== revision;
        const isGone = isEngineError(error, 'CONTENT_NOT_FOUND', 'PACK_MISSING');
        if (!isGone || !hasMoved || attempt === LOAD_ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** The entries, and the ids of all contents that were found, deleted ones too. */
  async #readContents(): Promise<{ entries: ManifestEntry[]; found: ReadonlySet<string> }> {
    const { contents } = this.#parts;
    const found = new Set<string>();
    const contentIds: string[] = [];
    for (const entry of contents.entries(MANIFEST_PREFIX)) {
      found.add(entry.contentId);
      if (!entry.isDeleted) contentIds.push(entry.contentId);
    }
    const batches: [contentId: string, entries: ManifestEntry[]][] = [];
    for await (const { contentId, bytes } of contents.readMany(contentIds)) {
      batches.push([contentId, decodeManifests(bytes, contentId)]);
    }
    // Any order may come; ties between entries are to be decided the same way each time.
    batches.sort(([a], [b]) => (a < b ? -1 : 1));
    return { entries: batches.flatMap(([, entries]) => entries), found };
  }

  /** Later than `previous` and than everything given out before. */
  #nextTime(previous: bigint): bigint {
    const latest = previous > this.#lastModifiedNs ? previous : this.#lastModifiedNs;
    const now = this.#clock.nowNanoseconds();
    this.#lastModifiedNs = now > latest ? now : latest + 1n;
    return this.#lastModifiedNs;
  }
}

function byAge(a: Manifest, b: Manifest): number {
  if (a.modifiedNs !== b.modifiedNs) return a.modifiedNs < b.modifiedNs ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
