// Copies volumes of this node ahead of their scheduled backups, as the controller wants it, and
// gives way to whatever is real: a backup of the same volume, and a move that waits for the slot.
// What it does is best effort: no backup fails by it, none waits for it but to take its checkpoint
// over (docs/pre-copy.md).

import type { PodVolume } from '#agent/moves/volume-mover.ts';
import { Copy, type CopyEnd, type CopyParts } from './copy.ts';
import { idOf, type WantedVolume } from './wanted-volume.ts';

export interface PreCopyReport {
  readonly volume: WantedVolume;
  readonly end: CopyEnd;
}

export interface PreCopyingParts extends CopyParts {
  /** Once for each copy. Must not throw. */
  readonly report: (report: PreCopyReport) => void;
}

/** Volumes whose last due time is remembered; of one that is forgotten a copy is made again. */
const DONE_MAX = 2_000;

export class PreCopying {
  readonly #parts: PreCopyingParts;
  #wanted: ReadonlyMap<string, WantedVolume> = new Map();
  readonly #copies = new Map<string, Copy>();
  /** For which due time a copy was made, or failed. */
  readonly #done = new Map<string, number>();
  /** Volumes that a backup is at, with how many. */
  readonly #backups = new Map<string, number>();

  constructor(parts: PreCopyingParts) {
    this.#parts = parts;
  }

  /** Under way or waiting for a slot. */
  get count(): number {
    return this.#copies.size;
  }

  /** These and no others, from now on. */
  want(volumes: readonly WantedVolume[]): void {
    this.#wanted = new Map(volumes.map(volume => [idOf(volume), volume]));
    for (const [id, copy] of this.#copies) {
      if (this.#wanted.get(id)?.dueMs !== copy.wanted.dueMs) copy.stop('not-wanted');
    }
    this.#begin();
  }

  /**
   * A backup of that volume begins. Resolves when no copy of it is under way, with its state saved;
   * until the result is disposed of there is none.
   */
  async giveWay(volume: PodVolume): Promise<Disposable> {
    const key = keyOf(volume.podUid, volume.volume);
    this.#backups.set(key, (this.#backups.get(key) ?? 0) + 1);
    const own = [...this.#copies.values()].filter(({ wanted }) => keyOfCopy(wanted) === key);
    for (const copy of own) copy.stop('backup');
    await Promise.all(own.map(({ ended }) => ended));
    return { [Symbol.dispose]: () => this.#backupEnded(key) };
  }

  /** For good. */
  async stop(): Promise<void> {
    this.#wanted = new Map();
    const copies = [...this.#copies.values()];
    for (const copy of copies) copy.stop('not-wanted');
    await Promise.all(copies.map(({ ended }) => ended));
  }

  #begin(): void {
    for (const [id, wanted] of this.#wanted) {
      const isDone = this.#done.get(id) === wanted.dueMs;
      if (isDone || this.#copies.has(id) || this.#backups.has(keyOfCopy(wanted))) continue;
      const copy = new Copy(this.#parts, wanted);
      this.#copies.set(id, copy);
      void copy.ended.then(end => this.#ended(id, copy, end));
    }
  }

  #ended(id: string, { wanted }: Copy, end: CopyEnd): void {
    this.#copies.delete(id);
    const isOver = end.kind !== 'stopped' || end.reason === 'over';
    if (isOver) this.#remember(id, wanted.dueMs);
    this.#parts.report({ volume: wanted, end });
    // Whoever gave way to another move asks again, behind all that wait.
    this.#begin();
  }

  #remember(id: string, dueMs: number): void {
    this.#done.delete(id);
    this.#done.set(id, dueMs);
    const [oldest] = this.#done.keys();
    if (this.#done.size > DONE_MAX && oldest !== undefined) this.#done.delete(oldest);
  }

  #backupEnded(key: string): void {
    const count = (this.#backups.get(key) ?? 1) - 1;
    if (count > 0) this.#backups.set(key, count);
    else this.#backups.delete(key);
    this.#begin();
  }
}

function keyOf(podUid: string, volumeName: string): string {
  return `${podUid}/${volumeName}`;
}

function keyOfCopy({ podUid, volumeName }: WantedVolume): string {
  return keyOf(podUid, volumeName);
}
