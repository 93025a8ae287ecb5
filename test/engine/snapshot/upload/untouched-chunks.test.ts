import t from 'tap';
import { FileChunksBuilder } from '#engine/snapshot/upload/file-chunks.ts';
import {
  shareUntouched,
  takenOver,
  UntouchedChunks,
} from '#engine/snapshot/upload/untouched-chunks.ts';

/** Chunks of these lengths, one behind the other, called by letters. */
function chunksOf(...lengths: number[]) {
  const builder = new FileChunksBuilder();
  let start = 0;
  for (const [index, length] of lengths.entries()) {
    builder.add({ start, length, isHole: false }, 'abcdef'[index]);
    start += length;
  }
  return builder.finish();
}

const CHUNKS = chunksOf(10, 5, 5, 10, 10);

const CASES = [
  { changed: [], at: 0, run: { from: 0, to: 5, end: 40 } },
  { changed: [], at: 15, run: { from: 2, to: 5, end: 40 } },
  { changed: [], at: 16, run: undefined },
  { changed: [], at: 40, run: undefined },
  { changed: [10, 1], at: 0, run: { from: 0, to: 1, end: 10 } },
  { changed: [10, 1], at: 10, run: undefined },
  { changed: [10, 1], at: 15, run: { from: 2, to: 5, end: 40 } },
  { changed: [9, 1], at: 0, run: undefined },
  { changed: [9, 1], at: 10, run: { from: 1, to: 5, end: 40 } },
  { changed: [12, 10, 39, 5], at: 10, run: undefined },
  { changed: [12, 10, 39, 5], at: 15, run: undefined },
  { changed: [12, 10, 39, 5], at: 20, run: undefined },
  { changed: [12, 10, 39, 5], at: 30, run: undefined },
  { changed: [15, 0], at: 10, run: { from: 1, to: 5, end: 40 } },
  { changed: [50, 9], at: 0, run: { from: 0, to: 5, end: 40 } },
  { changed: [], bytes: 45, at: 0, run: { from: 0, to: 4, end: 30 } },
  { changed: [], bytes: 45, at: 30, run: undefined },
] as const;

for (const { at, run, ...input } of CASES) {
  const { changed, bytes = 40 } = { bytes: undefined, ...input };
  t.test(`of ${bytes} bytes with changes ${changed.join(' ')}, from ${at} on`, async t => {
    const chunks = UntouchedChunks.attach(shareUntouched(CHUNKS, changed, bytes));
    t.same(chunks.runAt(at), run);
  });
}

t.test('chunks that were taken over are those of the parent', async t => {
  const taken = takenOver(CHUNKS, [
    { from: 3, to: 5, end: 40 },
    { from: 0, to: 1, end: 10 },
  ]);
  t.same([...taken.starts], [20, 30, 0]);
  t.same([...taken.lengths], [10, 10, 10]);
  t.same(
    [...taken.ids].map(id => taken.contentIds[id]),
    ['d', 'e', 'a'],
  );
});
