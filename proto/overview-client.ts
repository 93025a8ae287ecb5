// Asks a controller how things stand, once, on a connection of its own.

import { abortedError, throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import { dial, type DialTarget } from './dial.ts';
import { Metadata } from './grpc.ts';
import type { ClusterOverview } from './overview-messages.ts';
import { overviewFromWire } from './overview-wire.ts';
import { decodeOverview, encodeOverviewRequest, OVERVIEW_PATH } from './session-codec.ts';
import { errorOf } from './wire-errors.ts';
import { OVERVIEW_MS_MAX } from './wire-limits.ts';

export interface OverviewTarget extends DialTarget {
  readonly token: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @throws COORDINATOR_STANDBY where another controller leads, COORDINATOR_UNAVAILABLE,
 *   COORDINATOR_TIMEOUT, COORDINATOR_TLS_INVALID, COORDINATOR_UNAUTHENTICATED,
 *   COORDINATOR_FORBIDDEN, …
 */
export async function askOverview(target: OverviewTarget): Promise<ClusterOverview> {
  const { token, clock, signal } = target;
  throwIfAborted(signal);
  const client = dial(target);
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const asIs = (bytes: Buffer) => bytes;
  const options = { deadline: clock.now() + OVERVIEW_MS_MAX };
  const request = encodeOverviewRequest();
  const what = 'the controller gives no overview';
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const call = client.makeUnaryRequest(
    OVERVIEW_PATH,
    asIs,
    asIs,
    request,
    metadata,
    options,
    (error, bytes) => {
      if (error === null && bytes !== undefined) return resolve(bytes);
      reject((error && errorOf(error, what)) ?? new EngineError('COORDINATOR_FAILED', what));
    },
  );
  const onAbort = () => call.cancel();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return overviewFromWire(decodeOverview(await promise));
  } catch (error) {
    throw signal?.aborted === true ? abortedError(signal) : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    client.close();
  }
}
