// What each of several open repositories may take, so that all of them together stay within what
// the process has. Each has worker threads and a memory plan of its own; a number of them is open
// at once, and each gets an equal part. Pure.

import { MEMORY_BYTES_MIN, PROCESS_BYTES } from '#engine/base/memory-plan.ts';

export interface RepositoryShares {
  /** Open at the same time. */
  readonly repositoriesMax: number;
  readonly threads: number;
  /** As for one repository in a process of its own: the process itself counts in each. */
  readonly memoryBytes: number;
}

/**
 * Fewer repositories rather than less memory for one than it needs.
 * @param wanted moves at the same time, which may be of as many repositories
 */
export function repositoryShares(
  wanted: number,
  process: { readonly memoryBytes: number; readonly threads: number },
): RepositoryShares {
  const restBytes = Math.max(0, process.memoryBytes - PROCESS_BYTES);
  const roomFor = Math.floor(restBytes / (MEMORY_BYTES_MIN - PROCESS_BYTES));
  const repositoriesMax = Math.max(1, Math.min(wanted, roomFor));
  const memoryBytes = PROCESS_BYTES + Math.floor(restBytes / repositoriesMax);
  return {
    repositoriesMax,
    threads: Math.max(1, Math.floor(process.threads / repositoriesMax)),
    memoryBytes: Math.max(MEMORY_BYTES_MIN, memoryBytes),
  };
}
