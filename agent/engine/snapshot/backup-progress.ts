// What a person sees of a backup while it runs.

import type { Clock } from '#engine/base/clock.ts';
import type { CounterName, RunControl } from '#engine/workers/run-control.ts';

export interface BackupTotals {
  readonly phase: 'upload' | 'publish';
  readonly files: number;
  readonly directories: number;
  /** Bytes of files that were read. */
  readonly bytes: number;
  /** Sealed bytes of contents that were new. */
  readonly bytesUploaded: number;
  readonly contentsNew: number;
  readonly contentsReused: number;
  readonly durationMs: number;
}

const INTERVAL_MS = 250;

export class BackupProgress implements Disposable {
  phase: BackupTotals['phase'] = 'upload';
  readonly #control: RunControl;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #start: ReadonlyMap<CounterName, number>;
  readonly #timer: NodeJS.Timeout | undefined;

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

  totals(): BackupTotals {
    return {
      phase: this.phase,
      files: this.#since('files') + this.#since('filesReused'),
      directories: this.#since('directories'),
      bytes: this.#since('bytesRead'),
      bytesUploaded: this.#since('bytesStored'),
      contentsNew: this.#since('contentsNew'),
      contentsReused: this.#since('contentsReused'),
      durationMs: this.#clock.monotonic() - this.#startMs,
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
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
