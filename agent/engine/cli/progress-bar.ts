// The bar on a terminal. The only file that imports cli-progress, which draws, throttles and
// restores the cursor; what stands in the line is progress.ts's.

import cliProgress, { type GenericFormatter } from 'cli-progress';
import type { Clock } from '#engine/base/clock.ts';
import {
  progressLine,
  ProgressMeter,
  type ProgressDisplay,
  type ProgressState,
  type Reading,
} from './progress.ts';

const BAR_COLUMNS = 20;
const FRAMES_PER_SECOND = 8;

export interface BarTerminal {
  readonly stream: NodeJS.WritableStream;
  readonly columns: () => number;
  readonly clock: Clock;
}

/** A bar where the total is known, the same line without one elsewhere. Gone after stop(). */
export function progressBar({ stream, columns, clock }: BarTerminal): ProgressDisplay {
  const meter = new ProgressMeter();
  let shown: { state: ProgressState; reading: Reading } | undefined;
  const format: GenericFormatter = options => {
    if (shown === undefined) return '';
    const { state, reading } = shown;
    if (reading.fraction === undefined) return progressLine(state, reading, columns() - 1);
    const barOptions = { ...options, barsize: BAR_COLUMNS };
    const bar = cliProgress.Format.BarFormat(reading.fraction, barOptions);
    return `${bar}  ${progressLine(state, reading, columns() - BAR_COLUMNS - 3)}`;
  };
  const bar = new cliProgress.SingleBar({
    format,
    stream,
    barCompleteChar: '\u2588',
    barIncompleteChar: '\u2591',
    fps: FRAMES_PER_SECOND,
    hideCursor: true,
    clearOnComplete: true,
    // Signals are interruption.ts's.
    gracefulExit: false,
    emptyOnZero: true,
  });
  return {
    update(next) {
      const isFirst = shown === undefined;
      shown = { state: next, reading: meter.read(next, clock.monotonic()) };
      // The package only has to know that there is something to draw; the share is the format's.
      if (isFirst) bar.start(1, 0);
    },
    stop() {
      if (shown !== undefined) bar.stop();
    },
  };
}
