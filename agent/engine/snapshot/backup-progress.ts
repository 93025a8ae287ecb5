// What a person sees of a backup while it runs.

import type { Clock } from '#engine/base/clock.ts';
import type { CounterName, RunControl } from '#engine/workers/run-control.ts';

export interface BackupTotals {
  readonly phase: 'upload' | 'publish';
  readonly files: number;
  readonly directories: number;
  /** Bytes of files that were read. */
  readonly bytes: number;
  /** Bytes of files that are as they were. */
  readonly bytesTakenOver: number;
  /** Sealed bytes of contents that were new. */
  readonly bytesUploaded: number;
  readonly contentsNew: number;
  readonly contentsReused: number;
  readonly durationMs: number;
}

/** What the finished tasks of an upload have seen. */
export interface FinishedBytes {
  readonly readBytes: number;
  readonly cachedBytes: number;
}

const INTERVAL_MS = 250;

/** Uploads of one repository share its counters. */
const running = new WeakMap<RunControl, Set<BackupProgress>>();

export class BackupProgress implements Disposable {
  phase: BackupTotals['phase'] = 'upload';
  readonly #control: RunControl;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #start: ReadonlyMap<CounterName, number>;
  readonly #timer: NodeJS.Timeout | undefined;
  #hasCompany = false;
  #finished: FinishedBytes | undefined;
  #unfinishedBytes: () => number = () => 0;

  constructor(
    control: RunControl,
    clock: Clock,
    onProgress: ((totals: BackupTotals) => void) | undefined,
  ) {
    this.#control = control;
    this.#clock = clock;
    this.#startMs = clock.monotonic();
    // Counters belong to the repository and may have been moved by earlier backups.
    this.#start = new Map(COUNTERS.map(name => [name, control.total(name)]));
    this.#timer = onProgress && setInterval(() => onProgress(this.totals()), INTERVAL_MS);
  }

  /**
   * From here on it is an upload that reads.
   * @param unfinishedBytes what threads have brought back of files that they go on with
   */
  follow(finished: FinishedBytes, unfinishedBytes: () => number): void {
    this.#finished = finished;
    this.#unfinishedBytes = unfinishedBytes;
    const uploads = running.get(this.#control) ?? new Set();
    running.set(this.#control, uploads.add(this));
    if (uploads.size > 1) for (const each of uploads) each.#hasCompany = true;
  }

  totals(): BackupTotals {
    return {
      phase: this.phase,
      files: this.#since('files') + this.#since('filesReused'),
      directories: this.#since('directories'),
      bytes: this.#bytesRead(),
      bytesTakenOver: this.#finished?.cachedBytes ?? 0,
      bytesUploaded: this.#since('bytesStored'),
      contentsNew: this.#since('contentsNew'),
      contentsReused: this.#since('contentsReused'),
      durationMs: this.#clock.monotonic() - this.#startMs,
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    running.get(this.#control)?.delete(this);
  }

  /**
   * With company the counters say what all have read, and only what tasks bring back can be told
   * apart: of a large file something every few seconds.
   */
  #bytesRead(): number {
    if (!this.#hasCompany) return this.#since('bytesRead');
    return (this.#finished?.readBytes ?? 0) + this.#unfinishedBytes();
  }

  #since(name: CounterName): number {
    return this.#control.total(name) - (this.#start.get(name) ?? 0);
  }
}

const COUNTERS: readonly CounterName[] = [
  'files',
  'filesReused',
  'directories',
  'bytesRead',
  'bytesStored',
  'contentsNew',
  'contentsReused',
];
