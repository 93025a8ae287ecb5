// Something that is open: a descriptor together with the way to it, for messages. Closing twice is
// harmless here, because a descriptor that was closed may already belong to another thread.

import { EngineError } from '#engine/base/errors.ts';

import { printablePath } from './source-name.ts';

/** What reading needs; plain values, so that it can be told to another thread. */
export interface OpenSource {
  readonly descriptor: number;
  /** For messages; it may be longer than the system takes. */
  readonly path: Uint8Array;
}

export class SourceHandle implements OpenSource, Disposable {
  /** The handle that everything above was opened from; it may be closed by now. */
  readonly root: SourceHandle;
  readonly #close: (descriptor: number) => void;
  readonly #parent: SourceHandle | undefined;
  readonly #name: Uint8Array;
  #descriptor: number;

  /** `name` is the caller's to give away; below a parent one component, else a whole path. */
  constructor(
    descriptor: number,
    name: Uint8Array,
    parent: SourceHandle | undefined,
    close: (descriptor: number) => void,
  ) {
    this.#descriptor = descriptor;
    this.#name = name;
    this.#parent = parent;
    this.#close = close;
    this.root = parent?.root ?? this;
  }

  /** @throws INTERNAL once closed: the number may stand for something else by then */
  get descriptor(): number {
    if (this.#descriptor >= 0) return this.#descriptor;
    const path = printablePath(this.path);
    throw new EngineError('INTERNAL', `${path} was used after it was closed; report this`);
  }

  /** Made when asked for: a million files must not cost a million paths. */
  get path(): Uint8Array {
    return this.namesBelowRoot().reduce(joinPath, this.root.#name);
  }

  /** The names that lead here from the root. */
  namesBelowRoot(): Uint8Array[] {
    return SourceHandle.#namesTo(this);
  }

  static #namesTo(handle: SourceHandle): Uint8Array[] {
    const names: Uint8Array[] = [];
    for (let at = handle; at.#parent !== undefined; at = at.#parent) names.push(at.#name);
    return names.reverse();
  }

  [Symbol.dispose](): void {
    if (this.#descriptor < 0) return;
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    this.#close(descriptor);
  }
}

/** `path/name`; no second slash behind `/`. */
export function joinPath(path: Uint8Array, name: Uint8Array): Uint8Array {
  const slash = path.at(-1) === 0x2f ? 0 : 1;
  const joined = new Uint8Array(path.length + slash + name.length);
  joined.set(path);
  if (slash === 1) joined[path.length] = 0x2f;
  joined.set(name, path.length + slash);
  return joined;
}
