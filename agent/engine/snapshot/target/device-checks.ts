// What keeps a restore from a block device: that it is in use, too small, or not blank.

import { readSync } from 'node:fs';
import { constants as osConstants } from 'node:os';

import { isZeros } from '#engine/base/bytes.ts';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';
import type { BlockDevice } from '#engine/snapshot/source/block-device.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';

import { targetError } from './target-error.ts';

/** Where file systems, partition tables, RAID and volume managers put what they are known by. */
const END_BYTES = 1 << 20;
const ERRNOS = new Map<string, number>(Object.entries(osConstants.errno));

/** The error for a call on the whole device that failed. */
export function deviceFailure(attempt: string, path: string, cause: unknown): EngineError {
  const name = systemCodeOf(cause) ?? '';
  if (name === 'EBUSY') {
    const text = `cannot ${attempt} ${path}: it is mounted, or part of another device`;
    return new EngineError('TARGET_NOT_WRITABLE', `${text}; unmount it first`, { cause });
  }
  if (['ENOENT', 'EACCES', 'EPERM', 'ENXIO', 'ENOMEDIUM'].includes(name)) {
    const text = `cannot ${attempt} ${path}: ${name}`;
    const advice = 'check the path, and that this process may write to devices';
    return new EngineError('TARGET_NOT_WRITABLE', `${text}; ${advice}`, { cause });
  }
  const errno = ERRNOS.get(name);
  if (errno === undefined) throw cause;
  return targetError({ attempt, path: Buffer.from(path), errno });
}

export function tooSmall({ path, bytes }: BlockDevice, neededBytes: number): EngineError {
  const shown = printablePath(path);
  const text = `cannot restore ${neededBytes} bytes to device ${shown}: it has ${bytes}`;
  const details = { path: shown, bytes, neededBytes };
  return new EngineError('TARGET_TOO_SMALL', `${text}; make it larger`, { details });
}

/** @throws TARGET_NOT_EMPTY, TARGET_NOT_WRITABLE */
export function requireBlank({ descriptor, path, bytes }: BlockDevice): void {
  const length = Math.min(END_BYTES, bytes);
  const end = new Uint8Array(length);
  for (const position of [0, bytes - length]) {
    let got: number;
    try {
      got = readSync(descriptor, end, 0, length, position);
    } catch (cause) {
      throw deviceFailure('read', Buffer.from(path).toString(), cause);
    }
    if (isZeros(end, 0, got)) continue;
    const text = `device ${printablePath(path)} is not blank`;
    throw new EngineError('TARGET_NOT_EMPTY', `${text}; allow overwriting it, or take another`);
  }
}
