// A volume mover that says once what of Velero's settings for an uploader changes nothing here:
// whoever sets it expects something.

import type { VolumeMover } from '#agent/moves/volume-mover.ts';
import type { Log } from './log.ts';

/** kopia reads as many files at once; the engine's threads share all files of all moves. */
const WHY =
  'threads and memory of the process decide how many files are moved at once; see --memory';

export function noticingMover(mover: VolumeMover, log: Log): VolumeMover {
  const said = new Set<string>();
  const notice = (setting: string, count: number | undefined) => {
    if (count === undefined || said.has(setting)) return;
    said.add(setting);
    log.warn({ setting, notice: `${setting} has no effect: ${WHY}` }, 'setting without effect');
  };
  return {
    backup(order, options) {
      notice('ParallelFilesUpload', order.parallelFiles);
      return mover.backup(order, options);
    },
    restore(order, options) {
      notice('ParallelFilesDownload', order.parallelFiles);
      return mover.restore(order, options);
    },
    forgetUnreported: (...of) => mover.forgetUnreported(...of),
  };
}
