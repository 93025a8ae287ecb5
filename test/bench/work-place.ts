// Where sources, repositories and restored trees lie while they are needed.

import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { TMPFS } from '#engine/base/file-system-types.ts';

export const MEMORY_DIRECTORY = '/dev/shm';

export class WorkPlace implements Disposable {
  readonly sources: string;
  /** Repositories and what is restored from them. */
  readonly repositories: string;
  readonly areRepositoriesInMemory: boolean;
  readonly #own: readonly string[];

  /**
   * @param directory for sources; a temporary one when absent
   * @param repositoryBytes what repositories and restored trees may take at a time
   */
  constructor(directory: string | undefined, isKept: boolean, repositoryBytes: number) {
    const temporary = directory ?? mkdtempSync(join(tmpdir(), 'stevedore-bench-'));
    this.sources = join(temporary, 'sources');
    mkdirSync(this.sources, { recursive: true });
    this.areRepositoriesInMemory = hasMemoryFor(repositoryBytes);
    const place = this.areRepositoriesInMemory ? MEMORY_DIRECTORY : temporary;
    this.repositories = mkdtempSync(join(place, 'stevedore-bench-'));
    const ownSources = directory === undefined ? temporary : this.sources;
    this.#own = isKept ? [this.repositories] : [this.repositories, ownSources];
  }

  /** An empty directory; the caller removes it. */
  fresh(name: string): string {
    return mkdtempSync(join(this.repositories, `${name}-`));
  }

  [Symbol.dispose](): void {
    for (const path of this.#own) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

function hasMemoryFor(bytes: number): boolean {
  try {
    const { type, bavail, bsize } = statfsSync(MEMORY_DIRECTORY);
    return type === TMPFS && bavail * bsize > bytes && availableMemory() > bytes * 1.2;
  } catch {
    return false;
  }
}

/** MemAvailable, because free memory is what nobody has found a use for yet. */
export function availableMemory(): number {
  try {
    const kib = /^MemAvailable:\s*(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    return kib === undefined ? freemem() : Number(kib) * 1024;
  } catch {
    return freemem();
  }
}
