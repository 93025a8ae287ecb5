// A look at a path that may never answer: a server of NFS or a FUSE daemon that is gone holds the
// caller in the kernel. Such a call cannot be taken back, and each holds one of the few threads
// that Node has for files. So there is one for each path, however often one looks, and few in all.

import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';

/** How long a file system may take to say what is at a path. */
export const STAT_MS_MAX = 10_000;
/** Looks that have not come back; Node has four threads. */
export const HANGING_STATS_MAX = 2;

export interface TimedStatParts {
  readonly clock: Clock;
  readonly lstat?: (path: string) => Promise<Stats>;
}

export class TimedStat {
  readonly #clock: Clock;
  readonly #lstat: (path: string) => Promise<Stats>;
  readonly #pending = new Map<string, Promise<Stats>>();

  constructor(parts: TimedStatParts) {
    this.#clock = parts.clock;
    this.#lstat = parts.lstat ?? lstat;
  }

  /** Looks that hold a thread now. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /**
   * Undefined when there is nothing.
   * @throws VOLUME_UNRESPONSIVE
   */
  async look(path: string, signal?: AbortSignal): Promise<Stats | undefined> {
    throwIfAborted(signal);
    const done = new AbortController();
    const looking = this.#start(path);
    const late = this.#clock
      .sleep(STAT_MS_MAX, signal ? AbortSignal.any([done.signal, signal]) : done.signal)
      .then(() => 'late' as const);
    // When the look is first, nobody waits for this one.
    late.catch(() => undefined);
    try {
      const found = await Promise.race([looking, late]);
      if (found !== 'late') return found;
    } catch (error) {
      throwIfAborted(signal);
      const code = systemCodeOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw unresponsive(path, `the answer is ${code ?? String(error)}`, error);
    } finally {
      done.abort();
    }
    throw unresponsive(path, `there is no answer after ${STAT_MS_MAX / 1000} s`);
  }

  #start(path: string): Promise<Stats> {
    const same = this.#pending.get(path);
    if (same) return same;
    if (this.#pending.size >= HANGING_STATS_MAX) {
      throw unresponsive(path, 'other volumes do not answer, and there are few threads for that');
    }
    const looking = this.#lstat(path).finally(() => this.#pending.delete(path));
    this.#pending.set(path, looking);
    return looking;
  }
}

function unresponsive(path: string, why: string, cause?: unknown): EngineError {
  const code = systemCodeOf(cause);
  const advice =
    code === 'EACCES' || code === 'EPERM'
      ? 'a FUSE file system lets root in only when it is mounted with allow_other or allow_root'
      : 'check the server of that file system (NFS) or its daemon (FUSE), and mount the volume ' +
        'anew by deleting the pod';
  const text = `cannot use the volume at ${path}: ${why}; ${advice}`;
  return new EngineError('VOLUME_UNRESPONSIVE', text, { cause });
}
