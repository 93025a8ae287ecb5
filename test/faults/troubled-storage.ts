// A storage in which the Nth operation goes wrong, before or after it took effect: the disk is
// full, the server's answer is lost, somebody pulls the plug. Used by the tests that let every
// operation of a backup fail once.

import type { StagedBlob, Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';

export interface Operation {
  readonly kind: 'get' | 'put' | 'head' | 'list' | 'delete' | 'stage' | 'commit';
  /** The blob's id, for list the prefix. */
  readonly id: string;
}

/** Around one operation; throws what is to go wrong. May be slow. */
export interface Onlooker {
  before?(operation: Operation): void | Promise<void>;
  after?(operation: Operation): void | Promise<void>;
}

/** `inner`, with somebody who watches each operation and may end it. */
export function watched(inner: Storage, onlooker: Onlooker): Storage {
  const around = async <Result>(
    operation: Operation,
    work: () => Promise<Result>,
  ): Promise<Result> => {
    await onlooker.before?.(operation);
    const result = await work();
    await onlooker.after?.(operation);
    return result;
  };
  const stage = inner.stage?.bind(inner);
  return wrap(inner, {
    get: (id, options) => around({ kind: 'get', id }, () => inner.get(id, options)),
    put: (id, pieces, options) => around({ kind: 'put', id }, () => inner.put(id, pieces, options)),
    head: (id, options) => around({ kind: 'head', id }, () => inner.head(id, options)),
    delete: (id, options) => around({ kind: 'delete', id }, () => inner.delete(id, options)),
    async *list(prefix, options) {
      await onlooker.before?.({ kind: 'list', id: prefix });
      yield* inner.list(prefix, options);
      await onlooker.after?.({ kind: 'list', id: prefix });
    },
    stage: stage && ((id, options) => stageWatched(() => stage(id, options), id, around)),
  });
}

async function stageWatched(
  stage: () => Promise<StagedBlob>,
  id: string,
  around: <Result>(operation: Operation, work: () => Promise<Result>) => Promise<Result>,
): Promise<StagedBlob> {
  const staged = await around({ kind: 'stage', id }, stage);
  return {
    path: staged.path,
    commit: options => around({ kind: 'commit', id }, () => staged.commit(options)),
    discard: () => staged.discard(),
  };
}

export interface Trouble {
  /** Which operation, 1 for the first. */
  readonly at: number;
  readonly when: 'before' | 'after';
  readonly error: () => Error;
}

/** Lets one operation fail, counted from the moment when it is armed. */
export class FailingOnce implements Onlooker {
  readonly #trouble: Trouble;
  #isArmed = false;
  #count = 0;
  /** What failed. */
  failed: Operation | undefined;
  /** Whether an index blob was stored before, so that others may see what it names. */
  isIndexStored = false;

  constructor(trouble: Trouble) {
    this.#trouble = trouble;
  }

  arm(): void {
    this.#isArmed = true;
  }

  before(operation: Operation): void {
    if (!this.#isArmed) return;
    this.#count++;
    if (this.#trouble.when === 'before') this.#failAt(operation);
  }

  after(operation: Operation): void {
    if (!this.#isArmed) return;
    const isIndex = operation.kind === 'put' && operation.id.startsWith('x');
    if (isIndex && this.failed === undefined) this.isIndexStored = true;
    if (this.#trouble.when === 'after') this.#failAt(operation);
  }

  #failAt(operation: Operation): void {
    if (this.#count < this.#trouble.at || this.failed) return;
    this.failed = operation;
    throw this.#trouble.error();
  }
}
