import t from 'tap';
import type { ContentEntry } from '#engine/content/content-source.ts';
import { planReads } from '#engine/content/read-plan.ts';

const LIMITS = { gapBytesMax: 10, rangeBytesMax: 100 };

/** `pack@offset+length`, the way ranges are printed below. */
function entry(text: string): ContentEntry {
  const [packId, offset, length] = text.split(/[@+]/);
  return {
    contentId: text,
    packId,
    packOffset: Number(offset),
    packedBytes: Number(length),
    originalBytes: Number(length),
    compressionId: 0,
    formatVersion: 3,
    timestampSeconds: 1,
    isDeleted: false,
  };
}

const plan = (...texts: string[]) => planReads(texts.map(entry), LIMITS);
const printed = (...texts: string[]) =>
  plan(...texts).map(
    ({ packId, offset, length, entries }) => `${packId}@${offset}+${length}:${entries.length}`,
  );

t.test('neighbours come with one range, others with their own', async t => {
  const table: readonly [entries: string[], ranges: string[]][] = [
    [[], []],
    [['p1@5+10'], ['p1@5+10:1']],
    [['p1@0+10', 'p1@10+10'], ['p1@0+20:2']],
    [['p1@0+10', 'p1@20+10'], ['p1@0+30:2']],
    [
      ['p1@0+10', 'p1@21+10'],
      ['p1@0+10:1', 'p1@21+10:1'],
    ],
    [
      ['p1@0+10', 'p2@10+10'],
      ['p1@0+10:1', 'p2@10+10:1'],
    ],
    [['p1@0+50', 'p1@50+50'], ['p1@0+100:2']],
    [
      ['p1@0+50', 'p1@50+51'],
      ['p1@0+50:1', 'p1@50+51:1'],
    ],
    [['p1@0+500'], ['p1@0+500:1']],
    [
      ['p1@0+500', 'p1@500+1'],
      ['p1@0+500:1', 'p1@500+1:1'],
    ],
    [['p1@0+50', 'p1@10+10', 'p1@55+5'], ['p1@0+60:3']],
    [['p1@0+10', 'p1@0+10'], ['p1@0+10:2']],
  ];
  for (const [entries, ranges] of table) t.strictSame(printed(...entries), ranges, entries.join());
});

t.test('entries may come in any order and are given by offset', async t => {
  const ranges = plan('p2@0+5', 'p1@20+5', 'p1@0+5', 'p1@10+5');
  t.strictSame(
    ranges.map(range => range.entries.map(({ contentId }) => contentId)),
    [['p1@0+5', 'p1@10+5', 'p1@20+5'], ['p2@0+5']],
  );
});
