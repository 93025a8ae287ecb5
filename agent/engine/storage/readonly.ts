// A storage that nothing can change: for readers who must not, whatever the code above them does.

import { throwIfAborted } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { Storage } from './storage.ts';
import { wrap } from './wrap.ts';

/** `inner` without put, delete and stage; they throw STORAGE_READ_ONLY or are not there. */
export function readOnly(inner: Storage): Storage {
  return wrap(inner, {
    put: async (id, _pieces, options) => {
      throwIfAborted(options?.signal);
      throw refusal('write', id, inner.displayName);
    },
    delete: async (id, options) => {
      throwIfAborted(options?.signal);
      throw refusal('delete', id, inner.displayName);
    },
    stage: undefined,
  });
}

function refusal(verb: string, id: string, displayName: string): EngineError {
  return new EngineError(
    'STORAGE_READ_ONLY',
    `cannot ${verb} blob ${id}: ${displayName} was opened read-only`,
    { details: { id } },
  );
}
