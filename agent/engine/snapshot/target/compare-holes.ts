// Whether a file has the holes that it should have. It may have more: a file system that stores
// zeros as holes loses nothing. Holes are whole blocks, so one that begins within a block counts
// from the next on.

import { constants as osConstants } from 'node:os';

import type { Subject } from './apply-attributes.ts';
import type { Differ } from './compare-attributes.ts';
import { errnoName } from './target-error.ts';

const { ENXIO } = osConstants.errno;

/** Compares with what `subject.stat` says by now of the size. */
export function compareHoles(subject: Subject, differ: Differ): void {
  const { holes } = subject.wanted.extras ?? {};
  if (holes === undefined || holes.length === 0) return;
  const { calls, handle, stat } = subject;
  const block = Math.max(1, stat.blockBytes);
  let missing = 0;
  let where = '';
  for (let index = 0; index + 1 < holes.length; index += 2) {
    const start = Math.ceil(holes[index] / block) * block;
    const end = holes[index] + holes[index + 1];
    // The last block of a file is a hole even where it is not full.
    const stop = end >= stat.size ? stat.size : Math.floor(end / block) * block;
    if (start >= stop) continue;
    const data = calls.seekData(handle.descriptor, start);
    if (data === -ENXIO || data >= stop) continue;
    if (data < 0) where = errnoName(-data);
    else where ||= `data at ${data}`;
    missing++;
  }
  if (missing === 0) return;
  const others = missing > 1 ? `, ${missing} holes missing` : '';
  differ('holes', `${holes.length / 2} holes`, `${where}${others}`);
}
