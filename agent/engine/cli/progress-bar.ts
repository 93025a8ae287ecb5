// The bar on a terminal. The only file that imports cli-progress, which draws, throttles and
// restores the cursor; what stands in the line is progress.ts's.

import cliProgress, { type GenericFormatter } from 'cli-progress';
import type { Clock } from '#engine/base/clock.ts';
import { progressLine, RateMeter, type ProgressDisplay, type ProgressState } from './progress.ts';

const BAR_COLUMNS = 20;
const FRAMES_PER_SECOND = 8;

export interface BarTerminal {
  readonly stream: NodeJS.WritableStream;
  readonly columns: () => number;
  readonly clock: Clock;
}

/** A bar where the total is known, the same line without one elsewhere. Gone after stop(). */
export function progressBar({ stream, columns, clock }: BarTerminal): ProgressDisplay {
  const meter = new RateMeter();
  let state: ProgressState | undefined;
  const format: GenericFormatter = (options, parameters) => {
    if (state === undefined) return '';
    const rate = meter.bytesPerSecond(clock.monotonic(), state.bytes);
    if (state.bytesTotal === undefined) return progressLine(state, rate, columns() - 1);
    const bar = cliProgress.Format.BarFormat(parameters.progress, {
      ...options,
      barsize: BAR_COLUMNS,
    });
    return `${bar}  ${progressLine(state, rate, columns() - BAR_COLUMNS - 3)}`;
  };
  const bar = new cliProgress.SingleBar({
    format,
    stream,
    barCompleteChar: '\u2588',
    barIncompleteChar: '\u2591',
    fps: FRAMES_PER_SECOND,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
    emptyOnZero: true,
  });
  return {
    update(next) {
      const isFirst = state === undefined;
      state = next;
      meter.add(clock.monotonic(), next.bytes);
      if (isFirst) bar.start(next.bytesTotal ?? 0, next.bytes);
      if (next.bytesTotal !== undefined) bar.setTotal(next.bytesTotal);
      bar.update(next.bytes);
    },
    stop() {
      if (state !== undefined) bar.stop();
    },
  };
}
