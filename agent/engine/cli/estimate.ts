// How much a first backup has to read, for the bar on a terminal. A guess beside the backup itself:
// it knows no policies, and gives up on trees that would take long to count.

import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

const ENTRIES_MAX = 500_000;

export interface Estimate {
  readonly files: number;
  readonly bytes: number;
}

/** Undefined when `signal` fires, the tree is too large, or a part of it cannot be read. */
export async function estimateTree(
  path: string,
  signal: AbortSignal,
): Promise<Estimate | undefined> {
  let [files, bytes, entries] = [0, 0, 0];
  const waiting = [path];
  try {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      for await (const entry of await opendir(next)) {
        if (signal.aborted || ++entries > ENTRIES_MAX) return undefined;
        const place = join(next, entry.name);
        if (entry.isDirectory()) waiting.push(place);
        if (!entry.isFile()) continue;
        files++;
        bytes += (await lstat(place)).size;
      }
    }
  } catch {
    // Whatever is wrong with the tree is the backup's to report; here it only means no total.
    return undefined;
  }
  return { files, bytes };
}
