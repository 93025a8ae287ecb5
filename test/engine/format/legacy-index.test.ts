import t from 'tap';
import { POISON_BLOB_ID } from '#engine/format/blob-names.ts';
import { decodeCompactionLog, selectLegacyIndexBlobs } from '#engine/format/legacy-index.ts';
import { bytesOf } from './text-bytes.ts';

const listing = (...ids: string[]) => ids.map(id => ({ id, bytes: 1, modifiedMs: 0 }));
const select = (ids: string[], ...logs: { inputs: string[]; outputs: string[] }[]) =>
  selectLegacyIndexBlobs(listing(...ids), logs).map(blob => blob.id);

t.test('a compaction log names blobs', async t => {
  const text =
    '{"inputMetadata":[{"id":"n1","length":5,"timestamp":"2026-01-01T00:00:00Z"},{"id":"n2"}],' +
    '"outputMetadata":[{"id":"n3","length":9,"timestamp":"2026-01-01T00:00:00Z"}]}';
  t.same(decodeCompactionLog(bytesOf(text), 'm1'), { inputs: ['n1', 'n2'], outputs: ['n3'] });
  t.same(decodeCompactionLog(bytesOf('{"inputMetadata":null}'), 'm1'), { inputs: [], outputs: [] });
});

t.test('a damaged log is refused', async t => {
  const texts = [
    '',
    '[]',
    '{"inputMetadata":{}}',
    '{"inputMetadata":["n1"]}',
    '{"outputMetadata":[{}]}',
  ];
  for (const text of texts) {
    t.throws(() => decodeCompactionLog(bytesOf(text), 'm1'), {
      code: 'INDEX_DAMAGED',
      message: /m1/,
    });
  }
});

t.test('all blobs count but those that were merged into others that exist', async t => {
  t.same(select(['n1', 'n2']), ['n1', 'n2']);
  t.same(select(['n1', 'n2', 'n3'], { inputs: ['n1', 'n2'], outputs: ['n3'] }), ['n3']);
  t.same(select(['n1', 'n2'], { inputs: ['n1', 'n2'], outputs: ['n3'] }), ['n1', 'n2']);
  t.same(
    select(
      ['n1', 'n3', 'n4'],
      { inputs: ['n1'], outputs: ['n3'] },
      { inputs: ['n3'], outputs: ['n4'] },
    ),
    ['n4'],
  );
});

t.test('the poison is not read', async t => {
  t.same(select(['n1', POISON_BLOB_ID]), ['n1']);
});
