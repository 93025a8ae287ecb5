// A directory as a layer: the same bytes for the same names, contents, modes and times.

import { execFileSync } from 'node:child_process';

const PROGRAM_MS_MAX = 120_000;

/**
 * Everything belongs to root.
 * @param epoch seconds since 1970; without it files keep their times
 */
export function packTar(directory: string, file: string, epoch?: number): void {
  const owner = ['--owner=0', '--group=0', '--numeric-owner'];
  const order = ['--sort=name', '--format=gnu'];
  const time = epoch === undefined ? [] : [`--mtime=@${epoch}`];
  const words = ['-C', directory, ...owner, ...order, ...time, '-cf', file, '.'];
  execFileSync('tar', words, { timeout: PROGRAM_MS_MAX });
}
