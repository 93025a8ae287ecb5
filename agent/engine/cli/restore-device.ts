// What `stevedore restore` does where the target is a block device: the image of one goes there.

import { stat } from 'node:fs/promises';
import { usageError } from './option-values.ts';
import type { Engine } from './verb.ts';

type RestoreRequest = Parameters<Engine['restore']>[1];
type DeviceRestoreRequest = Parameters<Engine['restoreDevice']>[1];

export interface RestoreKind {
  readonly isDryRun: boolean;
}

/**
 * Undefined where no target is a device.
 * @throws USAGE where more is asked for than a device can be given
 */
export async function deviceRequest(
  request: RestoreRequest,
  { isDryRun }: RestoreKind,
): Promise<DeviceRestoreRequest | undefined> {
  const { snapshot, target, further = [], overwrite } = request;
  const targets = [target, ...further.map(goal => goal.target)];
  const areDevices = await Promise.all(targets.map(isDevice));
  if (!areDevices.includes(true)) return undefined;
  if (targets.length > 1) throw usageError('a block device is restored to by itself');
  const { delta, deleteExtra, verify, sparse, include = [], exclude = [], policy = {} } = request;
  const isOfFiles =
    [delta, deleteExtra, verify, sparse, isDryRun].includes(true) ||
    include.length + exclude.length + Object.keys(policy).length > 0 ||
    !(overwrite === undefined || overwrite === 'always');
  if (isOfFiles) {
    throw usageError(`${target} is a block device, for which --overwrite always is all there is`);
  }
  return { snapshot, target, isOverwriting: overwrite === 'always' };
}

/** What is not there is told by whoever restores. */
async function isDevice(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isBlockDevice();
  } catch {
    return false;
  }
}
