import t from 'tap';
import {
  parseChoice,
  parseCompression,
  parseIoPriority,
  parseNice,
  parsePercent,
  parseSize,
  parseTags,
  parseThreads,
  parseTreePath,
} from '#engine/cli/option-values.ts';

const isUsage = { code: 'USAGE' };

t.test('good values become what they say', async t => {
  t.equal(parseThreads('4'), 4);
  t.equal(parseThreads(undefined), undefined);
  t.equal(parsePercent('5', 'x'), 5);
  const sizes = ['256MiB', '256m', '0.25 GiB', '268435456', '262144K', '268435456B'];
  for (const size of sizes) t.equal(parseSize(size, '--memory'), 2 ** 28, size);
  t.equal(parseSize(undefined, '--memory'), undefined);
  t.equal(parseNice('-20'), -20);
  t.equal(parseNice('19'), 19);
  t.equal(parseNice(undefined), undefined);
  t.strictSame(parseIoPriority('idle'), { ioClass: 'idle', level: 0 });
  t.strictSame(parseIoPriority('best-effort'), { ioClass: 'best-effort', level: 4 });
  t.strictSame(parseIoPriority('realtime:0'), { ioClass: 'realtime', level: 0 });
  t.equal(parseIoPriority(undefined), undefined);
  t.equal(parsePercent('0.5%', 'x'), 0.5);
  t.equal(parseCompression('zstd:03'), 'zstd:3');
  t.equal(parseCompression('auto'), 'auto');
  t.strictSame(parseTags(['a:b:c', 'd:']), { a: 'b:c', d: '' });
  t.equal(parseChoice('b', 'x', ['a', 'b']), 'b');
  t.equal(parseTreePath('latest:/a b/c', 'x'), 'latest:/a b/c');
});

t.test('bad values are wrong usage and the message says what is right', async t => {
  t.throws(() => parseThreads('0'), { ...isUsage, message: /from 1 to 64/ });
  t.throws(() => parseThreads('2.5'), isUsage);
  t.throws(() => parseThreads('1e9'), isUsage);
  t.throws(() => parsePercent('101', '--read-percent'), { message: /from 0 to 100/ });
  t.throws(() => parsePercent('-1', 'x'), isUsage);
  for (const nice of ['20', '-21', '1.5', '', 'low']) t.throws(() => parseNice(nice), isUsage);
  for (const io of ['idle:1', 'best-effort:8', 'best', '', 'realtime:']) {
    t.throws(() => parseIoPriority(io), { ...isUsage, message: /--ionice/ });
  }
  for (const size of ['', '0', '-1', 'M', '1 2', '1e9', 'much', '1PiB', '256MiB!']) {
    t.throws(() => parseSize(size, '--memory'), { ...isUsage, message: /such as 256MiB/ }, size);
  }
  t.throws(() => parsePercent('', 'x'), isUsage);
  t.throws(() => parseCompression('gzip'), { message: /auto, none or zstd:LEVEL/ });
  t.throws(() => parseCompression('zstd:20'), isUsage);
  t.throws(() => parseTags(['nocolon']), { message: /key:value/ });
  t.throws(() => parseTags([':v']), isUsage);
  t.throws(() => parseTags(['a:1', 'a:2']), { message: /given twice/ });
  t.throws(() => parseTags(Array.from({ length: 101 }, (_, i) => `k${i}:v`)), isUsage);
  t.throws(() => parseChoice('c', '--x', ['a', 'b']), { message: /one of a, b/ });
  t.throws(() => parseTreePath(':/etc', 'x'), isUsage);
  t.throws(() => parseTreePath('latest:/a/../b', 'x'), { message: /no '\.\.'/ });
});

t.test('a tag may be named like a member of Object', async t => {
  const tags = parseTags(['__proto__:x', 'constructor:y']);
  t.strictSame(Object.entries(tags), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
});
