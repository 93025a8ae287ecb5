// A look at a path that may never answer: a server of NFS or a FUSE daemon that is gone holds the
// caller in the kernel. Such a call cannot be taken back. So there is one for each path, however
// often one looks, and a look that hangs costs others nothing: it may hold two of the four threads
// that Node has for files, and those after it hold threads of their own.

import { lstat } from 'node:fs/promises';
import { abortable, throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError, isEngineError, systemCodeOf } from '#engine/base/errors.ts';
import { lstatInThread, type PathStats } from './stat-in-thread.ts';

/** How long a file system may take to say what is at a path. */
export const STAT_MS_MAX = 10_000;
/** Looks at once that may still be answered in time; others wait for them. */
export const RUNNING_LOOKS_MAX = 2;
/** Of them and of those that hang, in Node's own threads. */
export const POOL_LOOKS_MAX = 2;
/** Looks that have had their time; each after the first two holds a thread of 11 MiB (measured). */
export const HANGING_LOOKS_MAX = 8;
const WAITING_LOOKS_MAX = 10_000;

export interface TimedStatParts {
  readonly clock: Clock;
  readonly lstat?: (path: string) => Promise<PathStats>;
  readonly lstatInThread?: (path: string) => Promise<PathStats>;
  /** How many volumes do not answer, when that changes. Must not throw. */
  readonly onHanging?: (count: number, countMax: number) => void;
}

interface Look {
  readonly path: string;
  readonly answer: Promise<PathStats>;
  readonly resolve: (stats: PathStats) => void;
  readonly reject: (error: unknown) => void;
  isHanging: boolean;
}

export class TimedStat {
  readonly #parts: Required<TimedStatParts>;
  /** Of all paths that are asked for, and of those that hang. */
  readonly #looks = new Map<string, Look>();
  readonly #waiting: Look[] = [];
  #runningCount = 0;
  #hangingCount = 0;
  #poolCount = 0;

  constructor(parts: TimedStatParts) {
    this.#parts = { lstat: lstatInPool, lstatInThread, onHanging: () => undefined, ...parts };
  }

  /** Looks that hold a thread now. */
  get pendingCount(): number {
    return this.#runningCount + this.#hangingCount;
  }

  /**
   * Undefined when there is nothing.
   * @throws VOLUME_UNRESPONSIVE, ABORTED, LIMIT_EXCEEDED
   */
  async look(path: string, signal?: AbortSignal): Promise<PathStats | undefined> {
    throwIfAborted(signal);
    const known = this.#looks.get(path);
    if (known?.isHanging) throw unresponsive(path, 'an earlier look at it has not come back');
    const { answer } = known ?? this.#ask(path);
    try {
      return await abortable(answer, signal);
    } catch (error) {
      if (isEngineError(error)) throw error;
      const code = systemCodeOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw unresponsive(path, `the answer is ${code ?? String(error)}`, error);
    }
  }

  #ask(path: string): Look {
    if (this.#hangingCount >= HANGING_LOOKS_MAX) throw tooManyHang(path);
    if (this.#waiting.length >= WAITING_LOOKS_MAX) {
      const text = `cannot look at ${path}: ${WAITING_LOOKS_MAX} others are waiting for that`;
      throw new EngineError('LIMIT_EXCEEDED', `${text}; try again later`);
    }
    const { promise: answer, resolve, reject } = Promise.withResolvers<PathStats>();
    // Those who asked may have given up.
    answer.catch(() => undefined);
    const look = { path, answer, resolve, reject, isHanging: false };
    this.#looks.set(path, look);
    this.#waiting.push(look);
    this.#next();
    return look;
  }

  /** Begins as many as may run, so that no more than may hang will. */
  #next(): void {
    while (this.#runningCount < RUNNING_LOOKS_MAX && this.pendingCount < HANGING_LOOKS_MAX) {
      const look = this.#waiting.shift();
      if (look === undefined) return;
      void this.#run(look);
    }
    if (this.#hangingCount < HANGING_LOOKS_MAX) return;
    for (const look of this.#waiting.splice(0)) {
      this.#looks.delete(look.path);
      look.reject(tooManyHang(look.path));
    }
  }

  async #run(look: Look): Promise<void> {
    const { clock, lstat, lstatInThread } = this.#parts;
    const isInPool = this.#poolCount < POOL_LOOKS_MAX;
    this.#runningCount += 1;
    this.#poolCount += isInPool ? 1 : 0;
    const done = new AbortController();
    const onTime = () => {
      if (!done.signal.aborted) this.#hangs(look);
    };
    void clock.sleep(STAT_MS_MAX, done.signal).then(onTime, () => undefined);
    try {
      look.resolve(await (isInPool ? lstat(look.path) : lstatInThread(look.path)));
    } catch (error) {
      look.reject(error);
    } finally {
      done.abort();
      this.#poolCount -= isInPool ? 1 : 0;
      this.#ended(look);
    }
  }

  #hangs(look: Look): void {
    look.isHanging = true;
    this.#runningCount -= 1;
    this.#hangingCount += 1;
    look.reject(unresponsive(look.path, `there is no answer after ${STAT_MS_MAX / 1000} s`));
    this.#parts.onHanging(this.#hangingCount, HANGING_LOOKS_MAX);
    this.#next();
  }

  #ended(look: Look): void {
    this.#looks.delete(look.path);
    if (look.isHanging) {
      this.#hangingCount -= 1;
      this.#parts.onHanging(this.#hangingCount, HANGING_LOOKS_MAX);
    } else {
      this.#runningCount -= 1;
    }
    this.#next();
  }
}

async function lstatInPool(path: string): Promise<PathStats> {
  const stats = await lstat(path);
  return { dev: stats.dev, ino: stats.ino, isDirectory: stats.isDirectory() };
}

function tooManyHang(path: string): EngineError {
  return unresponsive(path, `${HANGING_LOOKS_MAX} other volumes do not answer, as many as may`);
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
