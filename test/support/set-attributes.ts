// Sets what node:fs cannot set, for tests; false where the system refuses.

import { nativeFunction } from '#engine/base/native.ts';
import { addressOf } from '#engine/base/native.ts';

const lsetxattr = nativeFunction('int lsetxattr(uintptr_t, uintptr_t, uintptr_t, size_t, int)');

/** Of a link itself, not of what it points to. */
export function setXattr(path: string | Uint8Array, name: string, value: Uint8Array): boolean {
  if (lsetxattr === undefined) return false;
  const texts = [Buffer.from(path), Buffer.from(name, 'latin1'), Buffer.from(value)];
  // Longer than what V8 keeps on its own heap, where addresses change.
  const [pathBytes, nameBytes, valueBytes] = texts.map(text => {
    const bytes = new Uint8Array(new ArrayBuffer(text.length + 128));
    bytes.set(text);
    return bytes;
  });
  const [at, called, holds] = [pathBytes, nameBytes, valueBytes].map(addressOf);
  return lsetxattr(at, called, holds, value.length, 0) === 0;
}
