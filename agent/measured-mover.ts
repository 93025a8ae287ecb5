// A volume mover that counts: bytes as they go, how long it took, what was not perfect. Whoever
// asks for the move does not notice.

import type { Clock } from '#engine/base/clock.ts';
import type { MoveOptions, MoveProgress, VolumeMover } from '#agent/moves/volume-mover.ts';
import type { AgentMetrics, MoveKind, RunOutcome } from './metrics.ts';

export function measuredMover(
  mover: VolumeMover,
  metrics: Pick<
    AgentMetrics,
    | 'running'
    | 'bytesMoved'
    | 'bytesNew'
    | 'entriesImperfect'
    | 'filesMoved'
    | 'runEnded'
    | 'stageEnded'
    | 'still'
  >,
  clock: Clock,
): VolumeMover {
  async function measure<Result extends { readonly totalBytes: number }>(
    kind: MoveKind,
    { onProgress, ...options }: MoveOptions,
    work: (options: MoveOptions) => Promise<Result>,
  ): Promise<Result> {
    const startedMs = clock.monotonic();
    let countedBytes = 0;
    using run = metrics.still.begin(kind);
    const countUpTo = (bytes: number) => {
      if (bytes > countedBytes) run.moved();
      metrics.bytesMoved(kind, bytes - countedBytes);
      countedBytes = Math.max(countedBytes, bytes);
    };
    const onEach = (progress: MoveProgress) => {
      countUpTo(progress.bytesDone);
      onProgress?.(progress);
    };
    let outcome: RunOutcome = 'failed';
    metrics.running(kind, 1);
    try {
      const result = await work({ ...options, onProgress: onEach });
      countUpTo(result.totalBytes);
      outcome = 'completed';
      return result;
    } catch (error) {
      if (options.signal.aborted) outcome = 'stopped';
      throw error;
    } finally {
      metrics.runEnded(kind, outcome, countedBytes);
      metrics.running(kind, -1);
      metrics.stageEnded(kind, 'moving', clock.monotonic() - startedMs);
    }
  }

  return {
    async backup(order, options) {
      const work = (counted: MoveOptions) => mover.backup(order, counted);
      const kind = order.snapshotOf ? 'DataUpload' : 'PodVolumeBackup';
      const result = await measure(kind, options, work);
      metrics.bytesNew(result.incrementalBytes);
      metrics.filesMoved(kind, result.fileCount ?? 0);
      metrics.entriesImperfect(kind, result.skippedCount);
      return result;
    },
    forgetUnreported: (...of) => mover.forgetUnreported(...of),
    async restore(order, options) {
      const work = (counted: MoveOptions) => mover.restore(order, counted);
      // No pod waits for what is restored for a DataDownload.
      const kind = order.doneFile === undefined ? 'DataDownload' : 'PodVolumeRestore';
      const result = await measure(kind, options, work);
      metrics.filesMoved(kind, result.fileCount ?? 0);
      const imperfectCount = result.missingCount + result.differenceCount;
      metrics.entriesImperfect(kind, imperfectCount);
      return result;
    },
  };
}
