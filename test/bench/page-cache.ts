// Makes sure that a source is in memory before anybody is timed. It is read from end to end until
// the kernel says that nothing of it came from a disk (ru_inblock of our own process), and, where
// the files are large enough for that to mean something, until it comes at the speed of memory;
// some file systems do not count what they read.

import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { MIB } from './stages/figure.ts';

export interface Warmth {
  readonly isWarm: boolean;
  readonly passes: number;
  readonly files: number;
  readonly bytes: number;
  readonly mibPerSecond: number;
}

const PASSES_MAX = 5;
const MEMORY_SPEED_MIB = 1024;
/** Below this mean, opening takes longer than reading. */
const LARGE_FILE_BYTES = 16 * MIB;

export function warmUp(path: string): Warmth {
  for (let passes = 1; ; passes++) {
    const blocksBefore = process.resourceUsage().fsRead;
    const start = performance.now();
    const { files, bytes } = readTree(path);
    const mibPerSecond = bytes / MIB / ((performance.now() - start) / 1000);
    const isFast = bytes < files * LARGE_FILE_BYTES || mibPerSecond >= MEMORY_SPEED_MIB;
    const isWarm = process.resourceUsage().fsRead === blocksBefore && isFast;
    if (isWarm || passes === PASSES_MAX) return { isWarm, passes, files, bytes, mibPerSecond };
  }
}

/** Counts files and their bytes by reading them all. */
export function readTree(path: string): { files: number; bytes: number } {
  const buffer = new Uint8Array(MIB);
  const found = { files: 0, bytes: 0 };
  const pending = [path];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const child = join(directory, entry.name);
      if (entry.isDirectory()) pending.push(child);
      if (!entry.isFile()) continue;
      found.files++;
      found.bytes += readFile(child, buffer);
    }
  }
  return found;
}

function readFile(path: string, buffer: Uint8Array): number {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  let bytes = 0;
  for (let got = -1; got !== 0; bytes += got) got = readSync(file, buffer);
  closeSync(file);
  return bytes;
}
