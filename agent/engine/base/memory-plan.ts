// How a memory budget is spent: the one place where the numbers that take memory are decided. A
// pure function; `repo info` prints its result. What the budget cannot bound is the index, 34 bytes
// for each content of the repository, which comes on top.
//
// The plan is for one operation at a time on one repository. Each part has a least size with which
// everything works, slowly, and a size beyond which more does not help; in between the budget
// decides.

import { EngineError } from './errors.ts';

export interface MemoryNeeds {
  /** Worker threads that are wanted. */
  readonly threads: number;
  /** The longest chunk of the splitters at hand. */
  readonly chunkBytesMax: number;
  /** What a pack has when it is full. */
  readonly packBytes: number;
  /** Whether packs are held in memory until they are stored; else they are files. */
  readonly arePacksInMemory: boolean;
}

export interface MemoryPlan {
  readonly budgetBytes: number;
  readonly threads: number;
  /** Packs on their way to the storage beside the two that each thread may have open. */
  readonly packsInFlight: number;
  /** Contents that may wait for an index before one is written. */
  readonly sessionContentsMax: number;
  /** How much a reader of many contents looks ahead, and in how many requests. */
  readonly readWindowBytes: number;
  readonly readsAhead: number;
  /** What a restore may hold that was fetched and is not written yet. */
  readonly restoreWindowBytes: number;
  /** The tables of a restore: the part of its plan that is in memory. */
  readonly restorePlanBytes: number;
}

export const MIB = 2 ** 20;
/** The least budget that is accepted. */
export const MEMORY_BYTES_MIN = 192 * 2 ** 20;

/** The program, its libraries and the main thread, measured: 70 to 90 MiB. */
export const PROCESS_BYTES = 96 * MIB;
/** A thread with its heap, code, stack and two buffers for packs: 16 to 26 MiB. */
const THREAD_BYTES = 26 * MIB;
/** What is left when threads are counted must have this much, or there are fewer threads. */
const REST_BYTES_MIN = 32 * MIB;
/** Rows, their copy in an index file, sealed, and the claim: 48 + 30 + 30 + 40 bytes. */
const WAITING_CONTENT_BYTES = 160;
/** One ranged read of a pack (content/read-plan.ts). */
const RANGE_BYTES = 8 * MIB;

const PACKS_IN_FLIGHT_MAX = 4;
const SESSION_CONTENTS_MIN = 100_000;
const SESSION_CONTENTS_MAX = 1_000_000;
const READ_WINDOW_BYTES_MIN = 4 * 2 ** 20;
const READ_WINDOW_BYTES_MAX = 32 * 2 ** 20;
const READS_AHEAD_MAX = 4;
const RESTORE_WINDOW_BYTES_MIN = 8 * 2 ** 20;
const RESTORE_WINDOW_BYTES_MAX = 64 * 2 ** 20;
const RESTORE_PLAN_BYTES_MIN = 8 * 2 ** 20;
const RESTORE_PLAN_BYTES_MAX = 128 * 2 ** 20;

/**
 * @param budgetBytes what the process may take in all, without the index
 * @throws USAGE when it is less than MEMORY_BYTES_MIN
 */
export function memoryPlan(budgetBytes: number, needs: MemoryNeeds): MemoryPlan {
  if (!(budgetBytes >= MEMORY_BYTES_MIN)) {
    throw new EngineError(
      'USAGE',
      `cannot work with ${budgetBytes} bytes of memory; give ${MEMORY_BYTES_MIN / MIB} MiB or more`,
    );
  }
  const threads = threadsFor(budgetBytes, needs);
  const restBytes = Math.max(REST_BYTES_MIN, restWith(budgetBytes, needs, threads));
  const share = (part: number) => Math.floor(restBytes * part);
  return {
    budgetBytes,
    threads,
    packsInFlight: packsInFlight(share(0.5), needs),
    sessionContentsMax: clamp(
      Math.floor(share(0.5) / WAITING_CONTENT_BYTES),
      SESSION_CONTENTS_MIN,
      SESSION_CONTENTS_MAX,
    ),
    readWindowBytes: clamp(share(0.25), READ_WINDOW_BYTES_MIN, READ_WINDOW_BYTES_MAX),
    readsAhead: clamp(Math.floor(share(0.25) / RANGE_BYTES), 1, READS_AHEAD_MAX),
    restoreWindowBytes: clamp(share(0.5), RESTORE_WINDOW_BYTES_MIN, RESTORE_WINDOW_BYTES_MAX),
    restorePlanBytes: clamp(share(0.25), RESTORE_PLAN_BYTES_MIN, RESTORE_PLAN_BYTES_MAX),
  };
}

function threadsFor(budgetBytes: number, needs: MemoryNeeds): number {
  let { threads } = needs;
  while (threads > 1 && restWith(budgetBytes, needs, threads) < REST_BYTES_MIN) threads -= 1;
  return threads;
}

/** What `threads` leave of the budget; may be negative. */
function restWith(budgetBytes: number, needs: MemoryNeeds, threads: number): number {
  const { chunkBytesMax, packBytes, arePacksInMemory } = needs;
  // A chunk lies in the splitter's memory, and once more in that of the compressor. A pack of
  // metadata is seldom full.
  const packsOfThread = arePacksInMemory ? 1.5 * packBytes : 0;
  return budgetBytes - PROCESS_BYTES - threads * (THREAD_BYTES + 2 * chunkBytesMax + packsOfThread);
}

function packsInFlight(bytes: number, { packBytes, arePacksInMemory }: MemoryNeeds): number {
  if (!arePacksInMemory) return PACKS_IN_FLIGHT_MAX;
  return clamp(Math.floor(bytes / packBytes), 1, PACKS_IN_FLIGHT_MAX);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
