// Whether a name out of a stored directory may be used as one path component. A directory object is
// only bytes that somebody with the password wrote; what it calls its entries proves nothing.

import { EngineError } from '#engine/base/errors.ts';
import { joinPath } from '#engine/snapshot/source/source-handle.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';

const SLASH = 0x2f;
const DOT = 0x2e;
/** What tables have room for; 255 is what Linux takes. */
const LENGTH_MAX = 0xffff;

/**
 * Why `name` must not be created beneath a target, or undefined when it is a plain component.
 * A name that is merely too long is left to the file system, which knows its own limit.
 */
export function unsafeNameReason(name: Uint8Array): string | undefined {
  const { length } = name;
  if (length === 0) return 'the name is empty';
  if (length > LENGTH_MAX) return `the name has ${length} bytes, and Linux takes 255`;
  if (name[0] === DOT && (length === 1 || (length === 2 && name[1] === DOT))) {
    return 'the name means a directory above or this one';
  }
  for (let index = 0; index < length; index++) {
    const byte = name[index];
    if (byte === SLASH) return 'the name contains a slash';
    if (byte === 0) return 'the name contains a zero byte';
  }
  return undefined;
}

/** @throws TARGET_NAME_UNSAFE when `name` is no plain component */
export function assertSafeName(directory: { readonly path: Uint8Array }, name: Uint8Array): void {
  const reason = unsafeNameReason(name);
  if (reason === undefined) return;
  const path = printablePath(joinPath(directory.path, name));
  throw new EngineError('TARGET_NAME_UNSAFE', `the name of ${path} was refused: ${reason}`, {
    details: { path },
  });
}
