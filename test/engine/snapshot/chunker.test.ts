import t from 'tap';
import { fastCdcFor } from '#engine/chunk/splitters.ts';
import type { SnapshotManifest } from '#engine/format/snapshot-manifest.ts';
import { chooseSplitter, CHUNKERS, splitterNote } from '#engine/snapshot/chunker.ts';

const STOCK = 'DYNAMIC-4M-BUZHASH';
const fastCdc = fastCdcFor(STOCK).name;

/** Only `extra` is looked at. */
const parentWith = (extra: unknown) => ({ extra }) as unknown as SnapshotManifest;

t.test('what is forced is used, whatever the parent was cut by', async t => {
  for (const parent of [undefined, parentWith({ stevedore: { splitter: fastCdc } })]) {
    t.equal(chooseSplitter('fastcdc', STOCK, parent), fastCdc);
    t.equal(chooseSplitter('repository', STOCK, parent), STOCK);
  }
  t.strictSame(CHUNKERS, ['auto', 'repository', 'fastcdc']);
});

t.test('auto goes on as the parent snapshot was cut', async t => {
  const table: readonly [extra: unknown, splitter: string][] = [
    [undefined, STOCK],
    [{}, STOCK],
    [{ stevedore: { splitter: fastCdc } }, fastCdc],
    [{ stevedore: { splitter: fastCdcFor('DYNAMIC-1M-BUZHASH').name } }, STOCK],
    [{ stevedore: { splitter: 7 } }, STOCK],
    [{ stevedore: null }, STOCK],
    [{ stevedore: 'text' }, STOCK],
  ];
  for (const [extra, splitter] of table) {
    const parent = parentWith(extra);
    t.equal(chooseSplitter('auto', STOCK, parent), splitter, JSON.stringify(extra));
  }
  t.equal(chooseSplitter('auto', STOCK, undefined), STOCK);
});

t.test('the note of one backup is what the next one goes by', async t => {
  const note = splitterNote(fastCdc, STOCK);
  t.equal(chooseSplitter('auto', STOCK, parentWith(note)), fastCdc);
  t.equal(splitterNote(STOCK, STOCK), undefined, 'nothing to say of what kopia would have used');
});
