// A volume mover that leaves secrets out of what it says, before anybody shortens or compares it: a
// message of the engine may repeat what a storage server has said.

import { EngineError, messageOf } from '#engine/base/errors.ts';
import type { VolumeMover } from '#agent/moves/volume-mover.ts';

type Hide = (text: string) => string;

export function hidingMover(mover: VolumeMover, hide: Hide): VolumeMover {
  async function hiding<Result extends object>(work: Promise<Result>): Promise<Result> {
    try {
      return hiddenTexts(await work, hide);
    } catch (error) {
      throw hiddenError(error, hide);
    }
  }
  return {
    backup: (order, options) => hiding(mover.backup(order, options)),
    restore: (order, options) => hiding(mover.restore(order, options)),
    forgetUnreported: (...of) => mover.forgetUnreported(...of),
  };
}

/** Names of files, and what is wrong with each. */
function hiddenTexts<Result extends object>(result: Result, hide: Hide): Result {
  const hidden = Object.entries(result).map(([key, value]: [string, unknown]) => [
    key,
    Array.isArray(value)
      ? value.map((each: unknown) => (typeof each === 'string' ? hide(each) : each))
      : value,
  ]);
  // The same keys, with values of the same types.
  return Object.fromEntries(hidden) as Result;
}

/** The error itself where there is nothing to hide; the log hides in what it writes of a cause. */
function hiddenError(error: unknown, hide: Hide): unknown {
  const message = messageOf(error);
  const hidden = hide(message);
  if (hidden === message) return error;
  const { code, details } = error instanceof EngineError ? error : new EngineError('INTERNAL', '');
  return new EngineError(code, hidden, { details, cause: error });
}
