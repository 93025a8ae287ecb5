import t from 'tap';
import { goJson, goString } from '#engine/base/json.ts';

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
