// A volume whose mode is Block has to be a device: what a move does to a file in its place helps
// nobody.

import { stat } from 'node:fs/promises';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';
import type { VolumePlace } from '#agent/volumes/locate-volume.ts';

/** @throws VOLUME_NOT_FOUND */
export async function requireDevice({ path }: Pick<VolumePlace, 'path'>): Promise<void> {
  let what = 'it is no block device';
  try {
    if ((await stat(path)).isBlockDevice()) return;
  } catch (error) {
    what = systemCodeOf(error) ?? 'unknown error';
  }
  const text = `cannot find the device of a volume at ${path}: ${what}`;
  throw new EngineError('VOLUME_NOT_FOUND', `${text}; see that its claim is of mode Block`);
}
