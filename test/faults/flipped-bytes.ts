// A storage in which one byte of one blob is not what it was, and everything that a reader does
// with such a repository.

import { EngineError } from '#engine/base/errors.ts';
import { listSnapshots, openRepository, type Repository } from '#engine/index.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import {
  faultsOf,
  openSmall,
  PASSWORD,
  readFilesOrCodes,
  type SmallRepository,
} from './small-repository.ts';

export interface Flip {
  readonly blobId: string;
  readonly offset: number;
  /** What the byte is combined with by exclusive or; never 0. */
  readonly mask: number;
}

export function flipped(inner: Storage, { blobId, offset, mask }: Flip): Storage {
  return wrap(inner, {
    async get(id, options) {
      const bytes = await inner.get(id, options);
      const at = offset - (options?.range?.offset ?? 0);
      if (id === blobId && at >= 0 && at < bytes.length) bytes[at] ^= mask;
      return bytes;
    },
  });
}

/**
 * What came of a flip: the code of what could not be opened, or what a look at everything found.
 */
export interface Finding {
  readonly openedWith: string;
  /** Codes that reading files and directories ended with. */
  readonly reading: ReadonlySet<string>;
  /** Lines of verify and check. */
  readonly faults: readonly string[];
}

/**
 * Opens, lists, reads and verifies; every file is as it was or a named error.
 * @throws for a wrong byte, and what is no named error
 */
export async function readFlipped(small: SmallRepository, flip: Flip): Promise<Finding> {
  const storage = flipped(small.storage, flip);
  const isFormat = flip.blobId.startsWith('kopia.');
  try {
    await using repository = isFormat
      ? await openRepository({ storage, password: PASSWORD, threads: 1, isReadOnly: true })
      : await openSmall(storage, small.format, { isReadOnly: true });
    return await lookAtAll(repository, small);
  } catch (error) {
    return { openedWith: codeOrThrow(error), reading: new Set(), faults: [] };
  }
}

async function lookAtAll(repository: Repository, small: SmallRepository): Promise<Finding> {
  const { snapshotId, files } = small;
  const snapshots = await listSnapshots(repository);
  if (snapshots.length !== 1) throw new Error(`${snapshots.length} snapshots are listed`);
  const reading = await readFilesOrCodes(repository, snapshotId, files);
  const faults = await faultsOf(repository);
  if (reading.size > 0 && faults.length === 0) {
    throw new Error(`reading failed with ${[...reading].join()} and verify found nothing`);
  }
  return { openedWith: '', reading, faults };
}

function codeOrThrow(error: unknown): string {
  if (error instanceof EngineError && error.code !== 'INTERNAL') return error.code;
  throw error;
}
