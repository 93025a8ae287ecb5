// The names in a directory of the target, listed by what lists the directories of a source.

import { constants } from 'node:os';

import { isEngineError } from '#engine/base/errors.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import type { SourceFileSystem } from '#engine/snapshot/source/source-file-system.ts';
import { SourceHandle } from '#engine/snapshot/source/source-handle.ts';
import type { SourceListing } from '#engine/snapshot/source/source-listing.ts';

import { targetError } from './target-error.ts';
import type { TargetDirectory } from './target-handle.ts';

const ERRNOS = new Map<unknown, number>(Object.entries(constants.errno));
const NO_PATH = new Uint8Array(0);

export class TargetLister {
  readonly #isNative: boolean;
  #source: SourceFileSystem | undefined;

  constructor(kind: 'native' | 'portable') {
    this.#isNative = kind === 'native';
  }

  /** @throws LIMIT_EXCEEDED, and what targetError makes of errno */
  list(directory: TargetDirectory, listing: SourceListing): void {
    this.#source ??= openSourceFileSystem({ native: this.#isNative });
    // The descriptor stays the directory's, so this handle closes nothing; the path for messages is
    // made below, where one is needed.
    const { descriptor } = directory;
    const handle = new SourceHandle(descriptor, NO_PATH, undefined, () => undefined);
    try {
      this.#source.list(handle, listing);
    } catch (error) {
      const errno = isEngineError(error) ? ERRNOS.get(error.details.errno) : undefined;
      if (errno === undefined) throw error;
      throw targetError({ attempt: 'list', path: directory.path, errno });
    }
  }
}
