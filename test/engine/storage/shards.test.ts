import t from 'tap';
import {
  formatShards,
  idOfPlace,
  isShardName,
  parseShards,
  placeOf,
  shardLayout,
} from '#engine/storage/shards.ts';
import { failsWith } from './storage-asserts.ts';

t.test("blobs have kopia's places", async t => {
  const places = {
    'kopia.repository': [],
    p0ffc568d0123456789abcdef01234567: ['p', '0ff'],
    xn0_161c99: [],
    'xn0_161c990123456789-c1': ['x', 'n0_'],
    _log_20260102030405_abcd: ['_', 'log'],
  };
  const layout = shardLayout([1, 3]);
  for (const [id, directories] of Object.entries(places)) {
    const file = `${id.slice(directories.join('').length)}.f`;
    t.same(placeOf(layout, id), { directories, file }, id);
    t.equal(idOfPlace(layout, directories, file), id);
  }
  t.same(placeOf(shardLayout([]), 'p'.repeat(40)), {
    directories: [],
    file: `${'p'.repeat(40)}.f`,
  });
  t.same(placeOf(shardLayout([30, 30]), 'p'.repeat(40)).directories, ['p'.repeat(30)]);
});

t.test('the first override whose prefix matches decides', async t => {
  const text =
    '{"default":[1,3],"maxNonShardedLength":4,"overrides":[{"prefix":"p","shards":[2,2]},' +
    '{"prefix":"q","shards":null}]}';
  const layout = parseShards(text, 'x');
  t.same(placeOf(layout, 'p012345').directories, ['p0', '12']);
  t.same(placeOf(layout, 'q012345').directories, []);
  t.same(placeOf(layout, 'x012345').directories, ['x', '012']);
  t.same(placeOf(layout, 'p012').directories, []);
  t.ok(isShardName(layout, 0, 'p0'));
  t.ok(isShardName(layout, 0, 'x'));
  t.notOk(isShardName(layout, 0, 'lost+found'));
  t.notOk(isShardName(layout, 2, 'a'));
  t.equal(parseShards(formatShards(layout), 'x').overrides.length, 2);
});

t.test("a new storage's file is kopia's to the byte", async t => {
  t.equal(formatShards(shardLayout([1, 3])), '{"default":[1,3],"maxNonShardedLength":20}\n');
  t.equal(formatShards(shardLayout([])), '{"default":[],"maxNonShardedLength":20}\n');
});

t.test('files that are no blobs have no id', async t => {
  const layout = shardLayout([1, 3]);
  for (const name of ['.shards', 'x', '.f', 'ü.f', 'blob.f.tmp.0123456789abcdef', 'a'.repeat(30)]) {
    t.equal(idOfPlace(layout, [], name), undefined, name);
  }
  t.equal(idOfPlace(layout, [], `${'p'.repeat(30)}.f`), undefined, 'not where it would be read');
  t.equal(idOfPlace(layout, ['p', 'abc'], 'x.f'), undefined, 'too short for a shard');
});

t.test('an id cannot climb out of the storage', async t => {
  for (const [shards, id] of [
    [[2], `..${'a'.repeat(30)}`],
    [[1], `.${'a'.repeat(30)}`],
    [[1, 2], `a..${'b'.repeat(30)}`],
  ] as const) {
    const layout = shardLayout(shards);
    await failsWith(t, 'STORAGE_BLOB_ID_INVALID', async () => placeOf(layout, id));
    t.equal(idOfPlace(layout, [], `${id}.f`), undefined);
  }
});

t.test('a layout that makes no sense is an error', async t => {
  const texts = ['', '{', 'null', '7', '{"default":7}', '{"default":[0]}', '{"default":[1.5]}'];
  texts.push('{"default":["a"]}', '{"default":[1],"maxNonShardedLength":"x"}');
  texts.push(
    '{"overrides":{}}',
    '{"overrides":[{"prefix":1}]}',
    `{"default":[${'1,'.repeat(40)}1]}`,
  );
  for (const text of texts) {
    await failsWith(t, 'STORAGE_FAILED', async () => parseShards(text, '/repo/.shards'));
  }
});
