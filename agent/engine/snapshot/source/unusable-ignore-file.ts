// An ignore file whose rules cannot be known is a fault of the directory that it is in. Anybody who
// can write a file to the source can write one, and must not end the backup of everything else.
// kopia leaves such a directory out, with all that is in it, names it and goes on, too
// (snapshot/upload/upload.go); to store it without the rules would store what they leave out.

import { EngineError } from '#engine/base/errors.ts';

import { printablePath } from './source-name.ts';

/** @param cause says what is wrong with what is in the file, and what to do */
export function unusableIgnoreFile(path: Uint8Array, cause: EngineError): EngineError {
  const shown = printablePath(path);
  const message = `cannot use ignore file ${shown}: ${cause.message}`;
  return new EngineError('SOURCE_UNREADABLE', message, { details: { path: shown }, cause });
}
