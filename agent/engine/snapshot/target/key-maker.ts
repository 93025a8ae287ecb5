// A text for each directory by the names that lead to it, for use as a key. Directories are asked
// for in the order of a walk, so that most names are those of the last time; only the others are
// looked at.

import { asBuffer } from '#engine/base/bytes.ts';

import { assertSafeName } from './target-name.ts';

export class KeyMaker {
  #key = '';
  #names: Uint8Array[] = [];
  /** Where in the key each name ends. */
  #ends: number[] = [];

  /**
   * `/a/b`; '' for no names. What stands before the last slash is the key of the parent.
   * @throws TARGET_NAME_UNSAFE
   */
  keyOf(names: readonly Uint8Array[], root: { readonly path: Uint8Array }): string {
    let known = 0;
    const most = Math.min(names.length, this.#names.length);
    while (known < most && names[known] === this.#names[known]) known++;
    if (known === names.length && known === this.#names.length) return this.#key;
    let key = known === 0 ? '' : this.#key.slice(0, this.#ends[known - 1]);
    const ends = this.#ends.slice(0, known);
    for (let index = known; index < names.length; index++) {
      assertSafeName(root, names[index]);
      key += `/${asBuffer(names[index]).toString('latin1')}`;
      ends.push(key.length);
    }
    this.#names = names.slice();
    this.#ends = ends;
    this.#key = key;
    return key;
  }
}
