// A VolumeMover without volumes: each move does what its script says, and what was ordered is kept.

import { throwIfAborted } from '#engine/base/abort.ts';
import type {
  BackupEnd,
  BackupOrder,
  BackupResult,
  MoveOptions,
  MoveProgress,
  RestoreOrder,
  RestoreResult,
  VolumeMover,
} from '#agent/moves/volume-mover.ts';
import { ChangeSignal } from './change-signal.ts';

/** What one call does, in this order. */
export interface MoveScript {
  readonly progress?: readonly MoveProgress[];
  readonly later?: { readonly after: Promise<unknown>; readonly progress: MoveProgress };
  /** It lasts until this resolves, or until it is aborted. */
  readonly until?: Promise<unknown>;
  /** Deaf to the signal: goes on until `until` resolves. */
  readonly ignoresAbort?: boolean;
  /** A snapshot is there before `error` is thrown. */
  readonly publishes?: boolean;
  readonly error?: Error;
  /** How it ends when it is aborted. */
  readonly abortError?: Error;
  readonly result?: Partial<BackupResult> & Partial<RestoreResult>;
}

export class ScriptedMover implements VolumeMover {
  readonly backups: BackupOrder[] = [];
  readonly restores: RestoreOrder[] = [];
  /** What was left of which move. */
  readonly kept: (BackupEnd & { readonly moveUid: string })[] = [];
  /** How many calls are under way, and how many there were at most. */
  activeCount = 0;
  activeCountMax = 0;
  abortCount = 0;
  readonly #script: (order: BackupOrder | RestoreOrder) => MoveScript;
  readonly #change = new ChangeSignal();

  constructor(script: (order: BackupOrder | RestoreOrder) => MoveScript = () => ({})) {
    this.#script = script;
  }

  async backup(order: BackupOrder, options: MoveOptions): Promise<BackupResult> {
    this.backups.push(order);
    const { result } = await this.#play(this.#script(order), options);
    return {
      snapshotId: order.moveUid.replaceAll('-', ''),
      totalBytes: 5000,
      incrementalBytes: 1000,
      isEmpty: false,
      skippedCount: 0,
      skippedDirectoryCount: 0,
      skipped: [],
      ...result,
    };
  }

  async restore(order: RestoreOrder, options: MoveOptions): Promise<RestoreResult> {
    this.restores.push(order);
    const { result } = await this.#play(this.#script(order), options);
    const perfect = { missingCount: 0, missing: [], differenceCount: 0, differences: [] };
    return { totalBytes: 5000, ...perfect, ...result };
  }

  async forgetUnreported({ moveUid }: BackupOrder, end: BackupEnd): Promise<void> {
    this.kept.push({ moveUid, ...end });
    this.#change.tell();
  }

  /** Resolves when what is left of so many moves has been said. */
  async forgot(count: number): Promise<void> {
    await this.#change.until(() => (this.kept.length >= count ? true : undefined));
  }

  /** Resolves when `count` calls have begun, of all that were and will be. */
  async begun(count: number): Promise<void> {
    const begunCount = () => this.backups.length + this.restores.length;
    await this.#change.until(() => (begunCount() >= count ? true : undefined));
  }

  async #play(script: MoveScript, options: MoveOptions): Promise<MoveScript> {
    const { signal, onProgress, onPublish } = options;
    this.activeCount += 1;
    this.activeCountMax = Math.max(this.activeCountMax, this.activeCount);
    this.#change.tell();
    try {
      throwIfAborted(signal);
      for (const progress of script.progress ?? []) onProgress?.(progress);
      const { later } = script;
      void later?.after.then(() => onProgress?.(later.progress));
      await endOf(script, signal);
      if (script.publishes) onPublish?.();
      if (script.error !== undefined) throw script.error;
      return script;
    } catch (error) {
      if (signal.aborted) this.abortCount += 1;
      throw error;
    } finally {
      this.activeCount -= 1;
    }
  }
}

async function endOf(
  { until, ignoresAbort, abortError }: MoveScript,
  signal: AbortSignal,
): Promise<void> {
  if (ignoresAbort) {
    await until;
    return;
  }
  const aborted = new Promise<void>(resolve =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  await Promise.race([until, aborted]);
  if (signal.aborted && abortError !== undefined) throw abortError;
  throwIfAborted(signal);
}

/** A promise that somebody else resolves. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
