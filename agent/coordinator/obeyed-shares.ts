// What this node may use of the cluster's bandwidth: the last word of a controller, which holds
// until there is another one, whoever is away meanwhile. And what it does use, for heartbeats.

import type { Clock } from '#engine/base/clock.ts';
import type { SmoothRate } from '#engine/base/smooth-rate.ts';
import type { BandwidthShares, MoveRate } from '#proto/agent-saying.ts';

const DIRECTIONS = ['upload', 'download'] as const;
type PerDirection<Value> = Readonly<Record<(typeof DIRECTIONS)[number], Value>>;

export interface ObeyedSharesParts {
  /** By which all traffic with object storage goes. */
  readonly traffic: PerDirection<SmoothRate>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Told of each change. */
  readonly onChange?: (shares: BandwidthShares) => void;
}

export class ObeyedShares {
  readonly #parts: ObeyedSharesParts;
  #inForce: BandwidthShares = { upload: undefined, download: undefined };
  #countedAtMs: number;
  #counted: PerDirection<number>;

  constructor(parts: ObeyedSharesParts) {
    this.#parts = parts;
    this.#countedAtMs = parts.clock.monotonic();
    this.#counted = this.#passed();
  }

  get inForce(): BandwidthShares {
    return this.#inForce;
  }

  /** From now on, for what is under way too. What is not said stays as it is. */
  obey(shares: BandwidthShares): void {
    const before = this.#inForce;
    for (const direction of DIRECTIONS) {
      const share = shares[direction];
      if (share === undefined) continue;
      this.#inForce = { ...this.#inForce, [direction]: share };
      this.#parts.traffic[direction].set(share.bytesPerSecond);
    }
    const isSame = DIRECTIONS.every(
      direction =>
        before[direction] !== undefined &&
        before[direction].bytesPerSecond === this.#inForce[direction]?.bytesPerSecond,
    );
    if (!isSame) this.#parts.onChange?.(this.#inForce);
  }

  /**
   * What the node has used since it was asked for the last time, split among its moves: those of a
   * node share connections and contents, so that nobody knows whose a byte was.
   */
  ratesOf(ids: readonly string[]): MoveRate[] {
    const nowMs = this.#parts.clock.monotonic();
    const passed = this.#passed();
    const seconds = Math.max(1, nowMs - this.#countedAtMs) / 1000;
    const rateOf = (direction: keyof PerDirection<number>) => {
      const bytes = passed[direction] - this.#counted[direction];
      return Math.round(bytes / seconds / Math.max(1, ids.length));
    };
    const [uploadBytesPerSecond, downloadBytesPerSecond] = [rateOf('upload'), rateOf('download')];
    this.#countedAtMs = nowMs;
    this.#counted = passed;
    return ids.map(id => ({
      ...{ id, kind: '', doneBytes: 0, totalBytes: undefined },
      ...{ uploadBytesPerSecond, downloadBytesPerSecond },
    }));
  }

  #passed(): PerDirection<number> {
    const { upload, download } = this.#parts.traffic;
    return { upload: upload.passedBytes, download: download.passedBytes };
  }
}
