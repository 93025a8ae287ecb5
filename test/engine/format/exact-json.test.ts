import t from 'tap';
import { goJson } from '#engine/base/json.ts';
import { jsonElements, jsonMembers, parseExactJson } from '#engine/format/exact-json.ts';
import { newSeed, seededRandom, type SeededRandom } from '#test/support/seeded.ts';

t.test('integers are numbers or bigints, other numbers are opaque', async t => {
  t.same(parseExactJson('[1,-0,9007199254740991,9007199254740992,-9223372036854775808]'), [
    1,
    -0,
    9007199254740991,
    9007199254740992n,
    -9223372036854775808n,
  ]);
  for (const text of ['1.0', '1e3', '1.5', '-0.0', '1e400']) {
    t.type(parseExactJson(text), 'object', text);
  }
});

t.test('what was parsed is written as it stood', async t => {
  const texts = ['1.0', '1e400', '-1.50E-7', '18446744073709551616', '{"a":[null,true,"x"]}', '""'];
  for (const text of texts) t.equal(goJson(parseExactJson(text)), text);
});

t.test('what is not JSON is refused', async t => {
  for (const text of ['', '{', '01', '1.', "'x'"])
    t.throws(() => parseExactJson(text), SyntaxError);
});

t.test('members and elements are found with any space around them', async t => {
  t.same(jsonMembers(' { "a" : 1.0 , "b\\"" :\n[1, {"c":"]}"}] , "":"x,y" } '), [
    ['a', '1.0'],
    ['b"', '[1, {"c":"]}"}]'],
    ['', '"x,y"'],
  ]);
  t.same(jsonElements('[ 1 , "a\\\\" , [ ] , { } ,null ]'), ['1', '"a\\\\"', '[ ]', '{ }', 'null']);
  t.same(jsonMembers('{}'), []);
  t.same(jsonMembers(' { } '), []);
  t.same(jsonElements('[]'), []);
  t.same(jsonElements('[ ]'), []);
});

t.test('spans put together again are the document', async t => {
  const seed = newSeed();
  const random = seededRandom(seed);
  for (let round = 0; round < 300; round++) {
    const value = { a: randomJson(random, 4), 'b"]}': randomJson(random, 4), c: [] };
    const compact = JSON.stringify(value);
    const spaced = JSON.stringify(value, null, random(3));
    const joined = jsonMembers(compact).map(([name, text]) => `${JSON.stringify(name)}:${text}`);
    t.equal(`{${joined.join(',')}}`, compact, `seed ${seed}`);
    const parsed = jsonMembers(spaced).map(([name, text]) => [name, JSON.parse(text) as unknown]);
    t.same(Object.fromEntries(parsed), JSON.parse(spaced), `seed ${seed}`);
    const list = [value.a, value.c, value];
    t.same(
      jsonElements(JSON.stringify(list, null, random(3))).map(text => JSON.parse(text) as unknown),
      JSON.parse(JSON.stringify(list)),
      `seed ${seed}`,
    );
  }
});

function randomJson(random: SeededRandom, depth: number): unknown {
  const leaves = [null, true, 5, -1.5, '', 'é"\\', '{[,:', '\n'];
  const kind = random(depth === 0 ? 1 : 3);
  if (kind === 0) return leaves[random(leaves.length)];
  const items = Array.from({ length: random(4) }, () => randomJson(random, depth - 1));
  return kind === 1 ? items : Object.fromEntries(items.map((item, i) => [`k${i},`, item]));
}
