// How far the moves of this node are, and how fast, for heartbeats. What is sent and fetched is
// split among them: they share connections and contents, so that nobody knows whose a byte was.
// What is done of a volume is each move's own.

import type { MoveProgress } from '#agent/moves/volume-mover.ts';
import type { Clock } from '#engine/base/clock.ts';
import type { SmoothRate } from '#engine/base/smooth-rate.ts';
import type { MoveRate } from '#proto/agent-saying.ts';

export interface HeldMove {
  /** Uid of its custom resource. */
  readonly id: string;
  readonly kind: string;
  /** When it got its slot, by the monotonic clock. */
  readonly sinceMs: number;
  /** Undefined as long as it has told nothing. */
  readonly progress: MoveProgress | undefined;
}

export interface MoveRatesParts {
  /** By which all traffic with object storage goes. */
  readonly traffic: Readonly<Record<'upload' | 'download', Pick<SmoothRate, 'passedBytes'>>>;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** What was counted at one moment. */
interface Sample {
  readonly atMs: number;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  /** By id. */
  readonly doneBytes: ReadonlyMap<string, number>;
}

/** Bytes come in pieces: over less time than that a rate says nothing. */
const SPAN_MS_MIN = 500;

export class MoveRates {
  readonly #parts: MoveRatesParts;
  /** The last one, and the one before it for who is asked again at once, as with a new session. */
  #last: Sample;
  #before: Sample;

  constructor(parts: MoveRatesParts) {
    this.#parts = parts;
    this.#last = this.#before = this.#sample([]);
  }

  /** Since it was asked for the last time. */
  of(moves: readonly HeldMove[]): MoveRate[] {
    const now = this.#sample(moves);
    const isLongAgo = now.atMs - this.#last.atMs >= SPAN_MS_MIN;
    const since = isLongAgo ? this.#last : this.#before;
    if (isLongAgo) [this.#before, this.#last] = [this.#last, now];
    const part = (bytes: number) =>
      Math.round(perSecond(bytes, now.atMs - since.atMs) / Math.max(1, moves.length));
    const uploadBytesPerSecond = part(now.uploadedBytes - since.uploadedBytes);
    const downloadBytesPerSecond = part(now.downloadedBytes - since.downloadedBytes);
    return moves.map(move => ({
      id: move.id,
      kind: move.kind,
      doneBytes: move.progress?.bytesDone ?? 0,
      // Custom resources have 0 for a size that is not known.
      totalBytes: move.progress?.totalBytes || undefined,
      ...{ uploadBytesPerSecond, downloadBytesPerSecond },
      doneBytesPerSecond: doneRate(move, since, now.atMs),
    }));
  }

  #sample(moves: readonly HeldMove[]): Sample {
    const { traffic, clock } = this.#parts;
    return {
      atMs: clock.monotonic(),
      uploadedBytes: traffic.upload.passedBytes,
      downloadedBytes: traffic.download.passedBytes,
      doneBytes: new Map(moves.map(({ id, progress }) => [id, progress?.bytesDone ?? 0])),
    };
  }
}

/** Of a move that has begun meanwhile it is the mean since then. */
function doneRate({ id, sinceMs, progress }: HeldMove, since: Sample, nowMs: number) {
  const spanMs = nowMs - Math.max(since.atMs, sinceMs);
  if (progress === undefined || spanMs < SPAN_MS_MIN) return undefined;
  const doneBytes = progress.bytesDone - (since.doneBytes.get(id) ?? 0);
  // One that was stopped begins again from nothing.
  return Math.max(0, Math.round(perSecond(doneBytes, spanMs)));
}

function perSecond(bytes: number, spanMs: number): number {
  return (bytes * 1000) / Math.max(1, spanMs);
}
