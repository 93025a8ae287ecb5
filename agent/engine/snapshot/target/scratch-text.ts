// A place for one text that native code reads: bytes, then a NUL, at an address that stays.

import { allocateArena, type Arena } from '#engine/base/arena.ts';

/** PATH_MAX of linux/limits.h, the NUL included: the kernel takes nothing longer. */
export const TEXT_BYTES_MAX = 4096;

export class ScratchText {
  readonly #arena: Arena = allocateArena(TEXT_BYTES_MAX);

  /** Address of a copy with a NUL behind it; 0 when it is longer than the kernel takes. */
  put(text: Uint8Array): number {
    const { bytes, address } = this.#arena;
    const { length } = text;
    if (length >= TEXT_BYTES_MAX) return 0;
    // Names are short: a loop is faster than set(), which asks for the species of its argument.
    if (length > 64) bytes.set(text);
    else for (let index = 0; index < length; index++) bytes[index] = text[index];
    bytes[length] = 0;
    return address;
  }

  /** The same for a text of which each character is one byte. */
  putLatin1(text: string): number {
    if (text.length >= TEXT_BYTES_MAX) return 0;
    const { bytes, address } = this.#arena;
    for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
    bytes[text.length] = 0;
    return address;
  }

  /** `/proc/self/fd/N`: the way to what was opened with O_PATH, whatever its name is by now. */
  putDescriptorPath(descriptor: number): number {
    return this.putLatin1(`/proc/self/fd/${descriptor}`);
  }
}
