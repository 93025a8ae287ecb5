import t from 'tap';
import { directoryKey } from '#engine/snapshot/source/change-record.ts';
import { ChangeIndexBuilder, findRecord } from '#engine/snapshot/upload/change-index.ts';

const keyOf = (...names: string[]) => directoryKey(names.map(name => Buffer.from(name)));

t.test('each directory is found, and no other', async t => {
  const builder = new ChangeIndexBuilder();
  for (let index = 0; index < 5000; index++) builder.add(keyOf('d', `${index}`), index * 32);
  const table = builder.build();
  t.ok(table.length / 2 >= 7500 && table.length / 2 <= 16_384);
  for (let index = 0; index < 5000; index++) {
    if (findRecord(table, keyOf('d', `${index}`)) !== index * 32) t.fail(`${index} is not found`);
  }
  for (let index = 5000; index < 6000; index++) {
    if (findRecord(table, keyOf('d', `${index}`)) !== -1) t.fail(`${index} is found`);
  }
});

t.test('keys tell paths apart', async t => {
  const keys = [[], ['a'], ['a', 'b'], ['ab'], ['b', 'a'], ['a', 'b', ''], ['']].map(names => {
    const { low, high } = keyOf(...names);
    return `${low}/${high}`;
  });
  t.equal(new Set(keys).size, keys.length);
});

t.test('a table that is damaged finds nothing, and ends', async t => {
  t.equal(findRecord(new Float64Array(32).fill(1e300), keyOf('a')), -1);
  t.equal(findRecord(new Float64Array(32).fill(NaN), keyOf('a')), -1);
  t.equal(findRecord(new Float64Array(0), keyOf('a')), -1);
});
