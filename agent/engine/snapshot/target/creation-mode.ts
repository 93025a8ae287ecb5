// With which permission bits a file comes into being. With the final ones where that lets nobody
// see it who may not in the end: that spares a call for most files.

import { PERMISSION_BITS, type WantedAttributes } from './wanted-attributes.ts';

/** For the restorer alone, until an ACL says more or user.* attributes are there. */
const PRIVATE = 0o600;

/**
 * Until its owner and group are set a file belongs to those of the restorer, or to the group of its
 * directory; and an ACL that it inherits lends the bits of the group to others. So the group gets
 * none of them before, unless everybody has them.
 */
export function creationMode({ mode, extras }: Pick<WantedAttributes, 'mode' | 'extras'>): number {
  if (extras?.xattrs !== undefined) return PRIVATE;
  const bits = mode & PERMISSION_BITS;
  const group = (bits >>> 3) & 7;
  return (group & ~bits & 7) === 0 ? bits : bits & 0o707;
}
