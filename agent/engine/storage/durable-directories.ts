// Makes the shard directories below a storage's root so that they survive a power cut: a new name
// is durable only after the directory that holds it has been synced, and that directory's own name
// likewise, up to the root. Each directory is vouched for once per process, because another
// process may have made it and not synced it yet.

import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '#engine/base/errors.ts';

export const DIRECTORY_MODE = 0o700;
/** kopia's [1,3] has some 8,200 directories, [3,3] up to 16 million; we forget rather than grow. */
const KNOWN_MAX = 65_536;

export class DurableDirectories {
  readonly #root: string;
  readonly #known = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  pathOf(names: readonly string[]): string {
    return join(this.#root, ...names);
  }

  /** Makes `names`, each in the one before; the root itself is never made. */
  async ensure(names: readonly string[]): Promise<void> {
    for (let depth = 1; depth <= names.length; depth++) {
      const path = this.pathOf(names.slice(0, depth));
      if (this.#known.has(path)) continue;
      await makeDirectory(path);
      await syncDirectory(this.pathOf(names.slice(0, depth - 1)));
      if (this.#known.size >= KNOWN_MAX) this.#known.clear();
      this.#known.add(path);
    }
  }

  /** Somebody removed a directory: all of them have to be made and vouched for again. */
  forget(): void {
    this.#known.clear();
  }
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network and FUSE file systems have no directory sync and order renames themselves.
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(systemCodeOf(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: DIRECTORY_MODE });
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  }
}
