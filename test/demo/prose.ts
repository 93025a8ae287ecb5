// Text that compresses as prose does.

import type { SeededRandom } from '#test/support/random.ts';

export function prose(random: SeededRandom, length: number): string {
  let text = '';
  while (text.length < length) text += `${random.pick(WORDS)} `;
  return text.slice(0, length);
}

const WORDS = (
  'pack blob content object snapshot source harbour crane container quay ship cargo manifest ' +
  'stack yard berth tide rope winch hold deck hatch\n keel mast log\n'
).split(' ');
