// How long the disk may go without a look: at least two, before a neighbour could have written all
// that is free above the line. A small disk with a full cache is looked at every 20 ms, a look
// takes some 0.2 ms; one with gigabytes to go, every second.

export const LOOK_INTERVAL_MS_MIN = 20;
export const LOOK_INTERVAL_MS_MAX = 1000;
export const LOOK_INTERVAL_FALLING_MS_MAX = 100;
/** Nobody is taken to be slower, as the first look may come in the middle of it. */
const NEIGHBOUR_BYTES_PER_SECOND_MIN = 1e9;
const LOOKS = 2;

export interface Headroom {
  /** Free above the highest line, once the cache has taken what it may. */
  readonly headroomBytes: number;
  readonly fallBytesPerSecond: number;
  readonly isFalling: boolean;
  /**
   * What the cache has, or may come to have until the next look; 0: there is nothing to give back.
   */
  readonly cacheBytes: number;
}

export function lookIntervalMs(room: Headroom): number {
  const { headroomBytes, fallBytesPerSecond, isFalling, cacheBytes } = room;
  const mostMs = isFalling ? LOOK_INTERVAL_FALLING_MS_MAX : LOOK_INTERVAL_MS_MAX;
  if (cacheBytes === 0) return mostMs;
  const rate = Math.max(NEIGHBOUR_BYTES_PER_SECOND_MIN, fallBytesPerSecond);
  const untilLineMs = (headroomBytes / rate) * 1000;
  return Math.min(mostMs, Math.max(LOOK_INTERVAL_MS_MIN, untilLineMs / LOOKS));
}
