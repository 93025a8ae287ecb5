import t from 'tap';
import { failing, JsonFields, sortedMap, unlessEmpty } from '#engine/format/json-fields.ts';

const fail = failing('MANIFEST_DAMAGED', 'the document', 'throw it away');
const fields = (text: string) => JsonFields.parse(text, fail);
const damaged = { code: 'MANIFEST_DAMAGED' };

t.test('absent and null fields are zero', async t => {
  for (const text of ['{}', '{"a":null}']) {
    const one = fields(text);
    t.equal(one.text('a'), '');
    t.equal(fields(text).boolean('a'), false);
    t.equal(fields(text).integer('a'), 0);
    t.equal(fields(text).number('a', 5), 0);
    t.equal(fields(text).durationNs('a'), 0n);
    t.equal(fields(text).timestampNs('a'), undefined);
    t.same(fields(text).bytes('a'), new Uint8Array(0));
    t.equal(fields(text).fields('a'), undefined);
    t.same(fields(text).list('a'), []);
    t.same(fields(text).texts('a'), []);
    t.same(fields(text).textMap('a'), {});
    t.equal(one.extra(), undefined);
  }
});

t.test('values of the right type are taken', async t => {
  t.equal(fields('{"a":"x"}').text('a'), 'x');
  t.equal(fields('{"a":9223372036854775807}').integer('a'), 9223372036854775807n);
  t.equal(fields('{"a":9223372036854775807}').durationNs('a'), 9223372036854775807n);
  t.equal(fields('{"a":-5}').number('a', -5, 5), -5);
  t.equal(fields('{"a":"1970-01-01T01:00:00+01:00"}').timestampNs('a'), 0n);
  t.same(fields('{"a":"AP8="}').bytes('a'), Uint8Array.from([0, 255]));
  t.equal(fields('{"a":{"b":true}}').fields('a')?.boolean('b'), true);
  t.same(fields('{"a":{"b":"c","d":null}}').textMap('a'), { b: 'c', d: '' });
});

t.test('values of another type are refused', async t => {
  const one = (value: string) => fields(`{"a":${value}}`);
  for (const value of ['1', '[]', '{}', 'true', '1.5'])
    t.throws(() => one(value).text('a'), damaged);
  for (const value of ['1', '""', '{}']) t.throws(() => one(value).boolean('a'), damaged);
  for (const value of ['1.0', '1e2', '"1"', '9223372036854775808', '-9223372036854775809']) {
    t.throws(() => one(value).integer('a'), damaged, value);
  }
  for (const value of ['-1', '9', '9007199254740993']) {
    t.throws(() => one(value).number('a', 0, 8), damaged, value);
  }
  for (const value of ['1', '"then"']) t.throws(() => one(value).timestampNs('a'), damaged);
  for (const value of ['"A"', '"AP8"', '"A-8="', '1'])
    t.throws(() => one(value).bytes('a'), damaged);
  for (const value of ['[]', '1', '1.5', '""']) t.throws(() => one(value).fields('a'), damaged);
  for (const value of ['{}', '1', '""']) t.throws(() => one(value).list('a'), damaged);
  for (const value of ['[1]', '[null]', '{}']) t.throws(() => one(value).texts('a'), damaged);
  for (const value of ['{"b":1}', '[]', '"x"']) t.throws(() => one(value).textMap('a'), damaged);
  for (const text of ['[]', 'null', '1', '1.5', '"x"', '{', ''])
    t.throws(() => fields(text), damaged);
});

t.test('names match whatever their case, the last of several wins', async t => {
  const one = fields('{"NAME":"a","name":"b","Name":"c","other":1}');
  t.equal(one.text('name'), 'c');
  t.same(one.extra(), { other: 1 });
});

t.test('what nobody took is handed back in order, even odd names', async t => {
  const one = fields('{"z":1,"__proto__":{"x":2},"a":3,"constructor":4}');
  t.equal(one.number('a'), 3);
  const extra = one.extra();
  t.same(Object.keys(extra ?? {}), ['z', '__proto__', 'constructor']);
  t.equal(Object.getPrototypeOf(extra), Object.prototype);
});

t.test('messages name the document, the field and what to do', async t => {
  t.throws(() => fields('{"a":1}').text('a'), {
    message: 'cannot read the document: field a is not a string; throw it away',
  });
  t.throws(() => fields('{"a":{"b":1}}').fields('a')?.text('b'), {
    message: 'cannot read the document: field a: field b is not a string; throw it away',
  });
});

t.test('empty values are left out', async t => {
  for (const value of ['', 0, 0n, false, []]) t.equal(unlessEmpty(value), undefined);
  for (const value of ['x', 1, true, [0], null]) t.equal(unlessEmpty(value), value);
  t.equal(sortedMap({}), undefined);
  t.same(Object.keys(sortedMap({ '😀': '', b: '', '\uffff': '', a: '' }) ?? {}), [
    'a',
    'b',
    '\uffff',
    '😀',
  ]);
});
