import t from 'tap';
import { goJson, goString, parseJson } from '#engine/base/json.ts';

t.test('strings are escaped as Go escapes them', async t => {
  t.equal(goString('plain'), '"plain"');
  t.equal(goString('<a>&b'), '"\\u003ca\\u003e\\u0026b"');
  t.equal(goString('line\u2028paragraph\u2029'), '"line\\u2028paragraph\\u2029"');
  t.equal(goString('quote " slash \\ tab \t'), '"quote \\" slash \\\\ tab \\t"');
  t.equal(goString('é 中 \u{1f600} \u007f'), '"é 中 \u{1f600} \u007f"');
});

t.test('the same string is escaped the same way each time', async t => {
  // A regular expression with a position of its own would skip every other call.
  for (let round = 0; round < 3; round++) t.equal(goString('a<'), '"a\\u003c"');
});

t.test('documents get the same escapes, integers of any size, and nothing undefined', async t => {
  t.equal(
    goJson({ '<k>': ['&'], big: 2n ** 63n - 1n, negative: -(2n ** 63n), gone: undefined }),
    '{"\\u003ck\\u003e":["\\u0026"],"big":9223372036854775807,"negative":-9223372036854775808}',
  );
});

t.test('integers that a double cannot hold become bigint', async t => {
  t.strictSame(parseJson('[1,-1,9007199254740991,9007199254740992,-9007199254740993]'), [
    1,
    -1,
    9007199254740991,
    9007199254740992n,
    -9007199254740993n,
  ]);
  t.strictSame(parseJson('[1.5,1e3,1e20]'), [1.5, 1000, 1e20]);
  t.strictSame(parseJson('{"text":"9007199254740993"}'), { text: '9007199254740993' });
});

t.test('a document that is read and written again keeps its digits', async t => {
  const text = '{"a":[9223372036854775807,{"b":-9223372036854775808}],"c":0.25,"d":null}';
  t.equal(goJson(parseJson(text)), text);
});

t.test('what is no JSON is refused', async t => {
  for (const text of ['', '{', '[1,]', '{"a":01}', 'nul']) {
    t.throws(() => parseJson(text), SyntaxError, text);
  }
});
