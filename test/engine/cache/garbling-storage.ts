// A storage from which bytes arrive that nobody has stored: flipped on the way, or where they lie.

import type { GetOptions, Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';

export interface GarblingStorage extends Storage {
  /** What was got, in order. */
  readonly got: string[];
  /** So many gets of blobs with this beginning have a wrong byte from now on. */
  garble(prefix: string, gets: number): void;
  /** How many of these have not come yet. */
  left(): number;
}

export function garbling(inner: Storage): GarblingStorage {
  const got: string[] = [];
  let garbled = '';
  let left = 0;
  const storage = wrap(inner, {
    get: async (id: string, options?: GetOptions) => {
      got.push(id);
      const isMeant = left > 0 && id.startsWith(garbled);
      if (isMeant) left--;
      const bytes = await inner.get(id, options);
      // In the middle of the nonce that what is stored begins with.
      if (isMeant) bytes[6] ^= 1;
      return bytes;
    },
  });
  const garble = (prefix: string, gets: number): void => {
    garbled = prefix;
    left = gets;
  };
  return Object.assign(storage, { got, garble, left: () => left });
}
