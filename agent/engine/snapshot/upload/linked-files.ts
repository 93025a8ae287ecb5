// Files that one thread has stored and that have other names: those need not be read again.
// Bounded; what falls out is read again, which costs time and nothing else.

import type { EntryExtras } from '#engine/format/entry-extras.ts';
import { hasChangedSince } from '#engine/snapshot/source/change-record.ts';
import type { SourceStat } from '#engine/snapshot/source/source-stat.ts';

/** Files with several names that a thread remembers. */
export const LINKED_FILES_MAX = 65_536;

export interface LinkedFile {
  readonly objectId: string;
  readonly bytes: number;
  /** Of the inode, and so of all its names; no name is among them. */
  readonly attributes: EntryExtras | undefined;
}

interface Remembered extends LinkedFile {
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
}

export class LinkedFiles {
  readonly #files = new Map<string, Remembered>();

  /** What was stored of the file that `stat` describes, if it is still the same. */
  find(stat: SourceStat): LinkedFile | undefined {
    const found = this.#files.get(inodeText(stat));
    const isSame =
      found?.size === stat.size &&
      found.mtimeSeconds === stat.mtimeSeconds &&
      found.mtimeNanoseconds === stat.mtimeNanoseconds &&
      found.ctimeSeconds === stat.ctimeSeconds &&
      found.ctimeNanoseconds === stat.ctimeNanoseconds;
    return isSame ? found : undefined;
  }

  /** @param seenMs when it was read, or before */
  add(stat: SourceStat, { objectId, bytes, attributes }: LinkedFile, seenMs: number): void {
    // Within one tick of the clock it may have been written once more unseen.
    if (hasChangedSince(stat, seenMs)) return;
    if (this.#files.size >= LINKED_FILES_MAX) {
      const [oldest] = this.#files.keys();
      this.#files.delete(oldest);
    }
    this.#files.set(inodeText(stat), {
      objectId,
      bytes,
      attributes,
      size: stat.size,
      mtimeSeconds: stat.mtimeSeconds,
      mtimeNanoseconds: stat.mtimeNanoseconds,
      ctimeSeconds: stat.ctimeSeconds,
      ctimeNanoseconds: stat.ctimeNanoseconds,
    });
  }
}

/**
 * The text that all names of a file have in common; undefined for a file with one name. Within the
 * file system of the root the inode says it, so that the same tree gives the same text elsewhere.
 */
export function linkGroupOf(stat: SourceStat, root: SourceStat): string | undefined {
  if (stat.linkCount < 2) return undefined;
  return stat.isOnDeviceOf(root) ? stat.inode.toString() : inodeText(stat);
}

function inodeText({ deviceMajor, deviceMinor, inode }: SourceStat): string {
  return `${deviceMajor}:${deviceMinor}:${inode}`;
}
