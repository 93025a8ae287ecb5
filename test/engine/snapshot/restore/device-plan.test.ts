import t from 'tap';
import type { ObjectChunk } from '#engine/object/object-reader.ts';
import {
  deviceSections,
  partsOf,
  rangesOf,
  zeroCandidates,
} from '#engine/snapshot/restore/device-plan.ts';

/** Chunks by the names of their contents; a digit behind the name is the length. */
async function* chunksOf(...names: readonly string[]): AsyncIterable<ObjectChunk> {
  let offset = 0;
  for (const name of names) {
    const bytes = Number(name.slice(1));
    yield { contentId: name[0], offset, bytes, isCompressed: name.startsWith('z') };
    offset += bytes;
  }
}

t.test('all places of a content are together, in sections of so many chunks', async t => {
  const chunks = chunksOf('a2', 'b3', 'a2', 'e0', 'c1', 'a2');
  const sections = await Array.fromAsync(deviceSections(chunks, 3));
  const shown = sections.map(section =>
    [...section.values()].map(({ contentId, positions }) => [contentId, ...positions]),
  );
  t.same(shown, [
    [
      ['a', 0, 5],
      ['b', 2],
    ],
    [
      ['c', 7],
      ['a', 8],
    ],
  ]);
  t.same(await Array.fromAsync(deviceSections(chunksOf('e0'))), [], 'nothing of nothing');
});

t.test('a content of two lengths is damage', async t => {
  const sections = deviceSections(chunksOf('a2', 'a3'));
  await t.rejects(Array.fromAsync(sections), { code: 'OBJECT_DAMAGED' });
});

t.test('what stands in the most places may be zeros', async t => {
  const names = 'abcdefghij'
    .split('')
    .flatMap((name, count) => Array.from({ length: count }, () => `${name}1`));
  const [section] = await Array.fromAsync(deviceSections(chunksOf(...names, 'z1', 'z1', 'z1')));
  const candidates = zeroCandidates(section).map(({ contentId }) => contentId);
  t.same(candidates, 'jihgfedc'.split(''), 'eight, none of one place, none compressed');
});

t.test('neighbours are one range, which comes in parts', async t => {
  const [section] = await Array.fromAsync(deviceSections(chunksOf('a4', 'a4', 'b3', 'a4', 'c2')));
  const [a, , c] = section.values();
  const ranges = rangesOf([c, a]);
  t.same(ranges, [
    { position: 0, length: 8 },
    { position: 11, length: 6 },
  ]);
  t.same(
    [...partsOf(ranges, 6)].map(({ position, length }) => [position, length]),
    [
      [0, 6],
      [6, 2],
      [11, 1],
      [12, 5],
    ],
  );
});
