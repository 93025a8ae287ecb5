// What each of several open repositories may take, so that all of them together stay within what
// the process has. Each has worker threads and a memory plan of its own (docs/adr/0015-…). Memory
// is given away when one is opened, in equal parts; processors go to those that are in use. Pure.

import { MEMORY_BYTES_MIN, PROCESS_BYTES } from '#engine/base/memory-plan.ts';

export interface RepositoryShares {
  /** Open at the same time. */
  readonly repositoriesMax: number;
  /** Of all that are in use; one may have fewer, where its memory does not suffice for more. */
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
    threads: process.threads,
    memoryBytes: Math.max(MEMORY_BYTES_MIN, memoryBytes),
  };
}

/** How many threads each of so many may keep busy that are in use. */
export function threadsOfEach({ threads }: RepositoryShares, inUseCount: number): number {
  return Math.max(1, Math.floor(threads / Math.max(1, inUseCount)));
}
