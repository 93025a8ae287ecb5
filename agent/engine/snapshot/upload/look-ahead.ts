// Looks at a source before the repository is open. Deriving the key of a password takes a core
// 0.2 s, in which the thread that has been started for the backup would have nothing to do: it
// lists the first directories and keeps what it found of them, for compareTask to compare.
//
// It knows no policy yet, so it looks at what may turn out to be left out. That must do no harm: it
// only lists and examines, and stays away from trees that may hang (calm-tree.ts).

import { isEngineError, systemCodeOf } from '#engine/base/errors.ts';
import { atThreadEnd } from '#engine/base/native-resources.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import { isCalmTree } from './calm-tree.ts';
import { keyOf, LookAheadWalk, type SeenDirectory } from './look-ahead-walk.ts';

/** Structured-cloneable; what a thread is sent first. */
export interface LookAheadErrand {
  /** The directory that will be backed up, bytes of a path. */
  readonly root: Uint8Array;
  readonly isNativeAllowed: boolean;
}

/** 150,000 entries with names of ten bytes are 9 MiB. */
const SEEN_BYTES_MAX = 12 * 1024 * 1024;

/** Begins to look, where that is what the thread is asked for. */
export function beginLookAhead(errand: unknown): LookAhead | undefined {
  if (!isErrand(errand)) return undefined;
  const ahead = new LookAhead(errand);
  atThreadEnd(() => ahead.forget());
  void ahead.run();
  return ahead;
}

function isErrand(errand: unknown): errand is LookAheadErrand {
  return typeof errand === 'object' && errand !== null && 'root' in errand;
}

export class LookAhead {
  /** When it began, by Date.now(): what it has seen was so at that time or later. */
  readonly sinceMs = Date.now();
  readonly #errand: LookAheadErrand;
  readonly #seen = new Map<string, SeenDirectory>();
  #walk: LookAheadWalk | undefined;
  #isOver = false;

  constructor(errand: LookAheadErrand) {
    this.#errand = errand;
  }

  /** Looks until there is nothing left, no room, or stop(). Never rejects: a backup will tell. */
  async run(): Promise<void> {
    const { root, isNativeAllowed } = this.#errand;
    try {
      if (!isCalmTree(root)) return;
      const fileSystem = openSourceFileSystem({ native: isNativeAllowed });
      const keep = (key: string, seen: SeenDirectory): void => void this.#seen.set(key, seen);
      using walk = new LookAheadWalk(fileSystem, keep);
      this.#walk = walk;
      for await (const bytes of walk.directories(root)) {
        if (this.#isOver || bytes > SEEN_BYTES_MAX) return;
      }
    } catch (error) {
      if (!isEngineError(error) && systemCodeOf(error) === undefined) throw error;
    } finally {
      this.#walk = undefined;
    }
  }

  /** Looks at nothing more; what was seen can be taken. */
  stop(): void {
    this.#isOver = true;
  }

  /** Gives up what was not taken, too, and closes what is open. */
  forget(): void {
    this.stop();
    this.#seen.clear();
    this.#walk?.[Symbol.dispose]();
  }

  /** Whether it is of this directory, and of no earlier state than that at `sinceMs`. */
  isOf(root: Uint8Array, sinceMs: number | undefined): boolean {
    const isRecent = sinceMs !== undefined && this.sinceMs >= sinceMs;
    return isRecent && Buffer.compare(root, this.#errand.root) === 0;
  }

  /** What was found of the directory that `names` lead to, once; undefined where nothing was. */
  take(names: readonly Uint8Array[]): SeenDirectory | undefined {
    const key = keyOf(names);
    const seen = this.#seen.get(key);
    this.#seen.delete(key);
    return seen;
  }
}
