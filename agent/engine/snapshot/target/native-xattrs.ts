// Extended attributes through koffi. What was opened with O_PATH has no f…xattr calls (EBADF) and
// is reached through /proc/self/fd, where a link is the link itself and not what it points to.

import { constants as osConstants } from 'node:os';

import { allocateArena, type Arena } from '#engine/base/arena.ts';

import { retried } from './native-retry.ts';
import type { NativeFunctions } from './native-functions.ts';
import { ScratchText } from './scratch-text.ts';
import type { Place } from './target-calls.ts';

/** XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h. */
const XATTR_BYTES_MAX = 65_536;
const { ENAMETOOLONG, E2BIG } = osConstants.errno;

export class NativeXattrs {
  readonly names: Arena = allocateArena(XATTR_BYTES_MAX);
  readonly value: Arena = allocateArena(XATTR_BYTES_MAX);
  readonly #call: NativeFunctions;
  readonly #name = new ScratchText();
  readonly #path = new ScratchText();

  constructor(functions: NativeFunctions) {
    this.#call = functions;
  }

  list({ descriptor, isPathOnly }: Place): number {
    const { address } = this.names;
    const { flistxattr, listxattr } = this.#call;
    if (!isPathOnly) return retried(() => flistxattr(descriptor, address, XATTR_BYTES_MAX));
    const path = this.#path.putDescriptorPath(descriptor);
    return retried(() => listxattr(path, address, XATTR_BYTES_MAX));
  }

  get({ descriptor, isPathOnly }: Place, name: string): number {
    const key = this.#name.putLatin1(name);
    if (key === 0) return -ENAMETOOLONG;
    const { address } = this.value;
    const { fgetxattr, getxattr } = this.#call;
    if (!isPathOnly) return retried(() => fgetxattr(descriptor, key, address, XATTR_BYTES_MAX));
    const path = this.#path.putDescriptorPath(descriptor);
    return retried(() => getxattr(path, key, address, XATTR_BYTES_MAX));
  }

  set({ descriptor, isPathOnly }: Place, name: string, value: Uint8Array): number {
    const key = this.#name.putLatin1(name);
    if (key === 0) return -ENAMETOOLONG;
    const { length } = value;
    if (length > XATTR_BYTES_MAX) return -E2BIG;
    this.value.bytes.set(value);
    const { address } = this.value;
    const { fsetxattr, setxattr } = this.#call;
    if (!isPathOnly) return retried(() => fsetxattr(descriptor, key, address, length, 0));
    const path = this.#path.putDescriptorPath(descriptor);
    return retried(() => setxattr(path, key, address, length, 0));
  }

  remove({ descriptor, isPathOnly }: Place, name: string): number {
    const key = this.#name.putLatin1(name);
    if (key === 0) return -ENAMETOOLONG;
    const { fremovexattr, removexattr } = this.#call;
    if (!isPathOnly) return retried(() => fremovexattr(descriptor, key));
    const path = this.#path.putDescriptorPath(descriptor);
    return retried(() => removexattr(path, key));
  }
}
