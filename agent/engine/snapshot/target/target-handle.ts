// Something of the target that is open: a descriptor, and the names that led to it, for messages.
// Closing twice is harmless here, because a descriptor that was closed may already belong to
// another thread.

import { EngineError } from '#engine/base/errors.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';

import type { Place, TargetCalls } from './target-calls.ts';
import { targetError } from './target-error.ts';
import { joinNames } from './target-path.ts';

/** What reading and writing need; plain values, so that it can be told to another thread. */
export interface OpenTarget {
  readonly descriptor: number;
  /** For messages; it may be longer than the system takes. */
  readonly path: Uint8Array;
}

export abstract class TargetHandle implements OpenTarget, Place, Disposable {
  abstract readonly isPathOnly: boolean;
  readonly #calls: TargetCalls;
  readonly #above: TargetDirectory | undefined;
  readonly #names: readonly Uint8Array[];
  #descriptor: number;

  /** `names` lead here from `above`, or are one whole path; they are the caller's to give away. */
  constructor(
    calls: TargetCalls,
    descriptor: number,
    above: TargetDirectory | undefined,
    names: readonly Uint8Array[],
  ) {
    this.#calls = calls;
    this.#descriptor = descriptor;
    this.#above = above;
    this.#names = names;
  }

  /** How many names lead here from what it was opened from. */
  get depth(): number {
    return this.#names.length;
  }

  /** @throws INTERNAL once closed: the number may stand for something else by then */
  get descriptor(): number {
    if (this.#descriptor >= 0) return this.#descriptor;
    const path = printablePath(this.path);
    throw new EngineError('INTERNAL', `${path} was used after it was closed; report this`);
  }

  /** Made when asked for: a million files must not cost a million paths. */
  get path(): Uint8Array {
    return joinNames(this.#above?.path, this.#names);
  }

  /** @throws TARGET_FULL, TARGET_NOT_WRITABLE: network file systems find out this late */
  [Symbol.dispose](): void {
    if (this.#descriptor < 0) return;
    const result = this.#calls.close(this.#descriptor);
    this.#descriptor = -1;
    if (result < 0) throw targetError({ attempt: 'close', path: this.path, errno: -result });
  }
}

export class TargetDirectory extends TargetHandle {
  readonly isPathOnly = false;
  /** Whether what is made in here gets flags or a project id from it; undefined until asked. */
  inherits: boolean | undefined;
}

export class TargetFile extends TargetHandle {
  readonly isPathOnly = false;
  /** Permission bits that it was made with; undefined when it was there before. */
  createdMode: number | undefined;
  /** Whether it may have flags or a project id that nobody asked for. */
  mayInherit = true;
  /** Whether this restore has made it, so that nobody has any of it in memory. */
  isNew = false;
  /** Whether it can be written past the kernel's memory; undefined until asked. */
  mayBeDirect: boolean | undefined;
}

/** A link, a pipe, a socket or a device, opened with O_PATH: only its attributes can be had. */
export class TargetNode extends TargetHandle {
  readonly isPathOnly = true;
}
