// What this node may use of the cluster's bandwidth: the last word of a controller, which holds
// until there is another one, whoever is away meanwhile.

import type { SmoothRate } from '#engine/base/smooth-rate.ts';
import type { BandwidthShares } from '#proto/agent-saying.ts';

const DIRECTIONS = ['upload', 'download'] as const;

export interface ObeyedSharesParts {
  /** By which all traffic with object storage goes. */
  readonly traffic: Readonly<Record<(typeof DIRECTIONS)[number], SmoothRate>>;
  /** Told of each change. */
  readonly onChange?: (shares: BandwidthShares) => void;
}

export class ObeyedShares {
  readonly #parts: ObeyedSharesParts;
  #inForce: BandwidthShares = { upload: undefined, download: undefined };

  constructor(parts: ObeyedSharesParts) {
    this.#parts = parts;
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
}
