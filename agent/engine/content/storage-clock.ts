// Whether this machine and the storage agree about the time. Maintenance of every client goes by
// both, so whoever writes asks first; the storage tells by the time of a blob just written to it.

import { randomBytes } from 'node:crypto';
import { toHex } from '#engine/base/bytes.ts';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { Tidying } from './tidying.ts';

/** What maintenance tolerates between a client's clock and the storage's (kopia-format.md 6.9). */
const CLOCK_SKEW_MS_MAX = 5 * 60 * 1000;
/** No client of kopia reads what begins so, and a directory has it in its root. */
const SCRATCH_PREFIX = '_clock_';

/**
 * @param blobId of a blob that was written just now
 * @throws CLOCK_SKEW when the storage's clock differs by more than five minutes: contents would get
 *   times at which other clients may collect them at once
 */
export async function requireSameTime(
  storage: Storage,
  blobId: string,
  clock: Pick<Clock, 'now'>,
  signal?: AbortSignal,
): Promise<void> {
  const { modifiedMs } = await storage.head(blobId, { signal });
  const skewMs = clock.now() - modifiedMs;
  if (Math.abs(skewMs) <= CLOCK_SKEW_MS_MAX) return;
  throw new EngineError(
    'CLOCK_SKEW',
    `the clock here is ${Math.round(skewMs / 1000)} s off the clock of ` +
      `${storage.displayName}; set the clock (at most 300 s are safe) and run it again`,
    { details: { skewMs } },
  );
}

/**
 * The same by a blob that is written for it and removed.
 * @throws CLOCK_SKEW
 */
export async function requireSameTimeByScratch(
  storage: Storage,
  clock: Pick<Clock, 'now'>,
  signal?: AbortSignal,
): Promise<void> {
  const blobId = `${SCRATCH_PREFIX}${toHex(randomBytes(6))}`;
  await storage.put(blobId, [new Uint8Array(1)], { signal });
  try {
    await requireSameTime(storage, blobId, clock, signal);
  } finally {
    // Where nothing may be deleted the first backup says so.
    await new Tidying(storage, () => undefined).remove(blobId, signal);
  }
}
