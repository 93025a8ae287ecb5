// Publishes the state of a running backup from time to time, as an incomplete snapshot, so that one
// that is killed need not begin anew and maintenance does not take its contents for garbage
// (adr/0011; kopia snapshot/upload/upload.go checkpointRoot). Each replaces the one before it.

import { abortable } from '#engine/base/abort.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { settlesWithin } from '#engine/base/settles-within.ts';
import type { SnapshotManifest } from '#engine/format/snapshot-manifest.ts';
import type { StoredManifest } from '#engine/manifest/manifest-store.ts';
import { type BackupParts, publishSnapshot } from './publish-snapshot.ts';
import type {
  CheckpointSink,
  Gather,
  IncompleteReason,
  IncompleteTree,
} from './upload/with-checkpoints.ts';

/** kopia's default is 45 min. What a killed backup has read since the last one is read again. */
const CHECKPOINT_INTERVAL_MS = 45_000;
/** A backup that is cancelled saves its state when this much time has passed since it last did. */
const CANCELED_AFTER_MS = 10_000;
/** … and when that takes no longer than this; Kubernetes kills 30 s after it has asked. */
const CANCELED_SAVE_MS_MAX = 8_000;

export interface CheckpointOptions {
  /** Of the caller: fires when the backup is cancelled, and not when it fails. */
  readonly signal: AbortSignal;
  readonly describe: (tree: IncompleteTree, reason: IncompleteReason) => SnapshotManifest;
  /** Incomplete snapshots whose time is over. */
  readonly expired: readonly StoredManifest[];
}

export class Checkpoints implements CheckpointSink {
  readonly #parts: BackupParts;
  readonly #options: CheckpointOptions;
  #expired: readonly StoredManifest[];
  #current: StoredManifest | undefined;
  #savedMs: number;
  #savedBytes: number;
  /** The cancelled backup could not save its state, and does not try again. */
  #isGivenUp = false;

  constructor(parts: BackupParts, options: CheckpointOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#expired = options.expired;
    this.#savedMs = parts.contents.clock.monotonic();
    this.#savedBytes = this.#bytesRead;
  }

  /** The checkpoint that there is, if any; the snapshot itself makes it superfluous. */
  get current(): StoredManifest | undefined {
    return this.#current;
  }

  readonly due = async (ended: AbortSignal): Promise<boolean> => {
    try {
      await this.#parts.contents.clock.sleep(CHECKPOINT_INTERVAL_MS, ended);
    } catch (error) {
      if (!ended.aborted) throw error;
    }
    return !ended.aborted;
  };

  readonly isWorthSaving = (): boolean => {
    if (this.#isGivenUp) return false;
    const sinceMs = this.#parts.contents.clock.monotonic() - this.#savedMs;
    return this.#options.signal.aborted && sinceMs >= CANCELED_AFTER_MS;
  };

  readonly save = async (reason: IncompleteReason, gather: Gather): Promise<void> => {
    const late = new AbortController();
    const saving = this.#save(reason, gather, late.signal);
    // A checkpoint that the cancel overtakes is its last, and has no more time than that.
    const isAlone = reason === 'checkpoint' && (await this.#isBeforeCancel(saving));
    if (!isAlone) await this.#saveInTime(saving, late);
  };

  /** Rejects as `saving` does, unless the backup is cancelled by then. */
  async #isBeforeCancel(saving: Promise<void>): Promise<boolean> {
    const { signal } = this.#options;
    try {
      await abortable(saving, signal);
      return true;
    } catch (error) {
      if (!signal.aborted) throw error;
      return false;
    }
  }

  /** Best effort: less is saved when it fails. The caller is warned, and told of the abort. */
  async #saveInTime(saving: Promise<void>, late: AbortController): Promise<void> {
    const { contents } = this.#parts;
    try {
      if (await settlesWithin(saving, CANCELED_SAVE_MS_MAX, contents.clock)) return;
      contents.warn(notSaved(tooLate()));
    } catch (error) {
      contents.warn(notSaved(error));
    }
    late.abort();
    this.#isGivenUp = true;
  }

  async #save(reason: IncompleteReason, gather: Gather, late: AbortSignal): Promise<void> {
    const bytes = this.#bytesRead;
    // Walking alone is quickly done again, and all that it found is in the parents.
    if (bytes === this.#savedBytes) return;
    const tree = await gather();
    if (tree === undefined || late.aborted) return;
    const manifest = this.#options.describe(tree, reason);
    const superseded = [...this.#expired, ...(this.#current ? [this.#current] : [])];
    const id = await publishSnapshot(this.#parts, manifest, superseded);
    // Written by this store, whose times only grow: any deletion by it comes later.
    this.#current = { id, modifiedNs: 0n };
    this.#expired = [];
    this.#savedBytes = bytes;
    this.#savedMs = this.#parts.contents.clock.monotonic();
  }

  get #bytesRead(): number {
    return this.#parts.contents.control.total('bytesRead');
  }
}

function notSaved(cause: unknown): EngineError {
  const error = isEngineError(cause) ? cause : undefined;
  const reason = error?.message ?? (cause instanceof Error ? cause.message : String(cause));
  const text = 'the state of the cancelled backup could not be saved, so that the next one reads';
  return new EngineError(
    error?.code ?? 'INTERNAL',
    `${text} again what this one has read since its last checkpoint (${reason})`,
    { cause },
  );
}

function tooLate(): EngineError {
  const text = `the storage took longer than ${CANCELED_SAVE_MS_MAX / 1000} s`;
  return new EngineError('STORAGE_UNAVAILABLE', text);
}
