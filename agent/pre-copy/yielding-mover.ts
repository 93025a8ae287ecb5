// A volume mover whose backups go before copies ahead of them: one of the same volume is stopped
// first, and what it has stored is there when the backup looks for what to compare with.

import type { VolumeMover } from '#agent/moves/volume-mover.ts';
import type { PreCopying } from './pre-copying.ts';

export function yieldingMover(
  mover: VolumeMover,
  preCopying: Pick<PreCopying, 'giveWay'>,
): VolumeMover {
  return {
    async backup(order, options) {
      using _way = await preCopying.giveWay(order.volume);
      return await mover.backup(order, options);
    },
    restore: (order, options) => mover.restore(order, options),
    forgetUnreported: (...of) => mover.forgetUnreported(...of),
  };
}
