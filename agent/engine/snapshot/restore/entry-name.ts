// Whether a name out of a stored directory may be used as one path component. A directory object is
// only bytes that somebody with the password wrote; what it calls its entries proves nothing.

/**
 * Why `name` must not be created beneath a target, or undefined when it is a plain component.
 * A name that is merely too long is left to the file system, which knows its own limit.
 */
export function unsafeNameReason(name: string): string | undefined {
  if (name === '') return 'the name is empty';
  if (name === '.' || name === '..') return 'the name means a directory above or this one';
  if (name.includes('/')) return 'the name contains a slash';
  if (name.includes('\0')) return 'the name contains a zero byte';
  return undefined;
}
