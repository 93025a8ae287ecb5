import { randomBytes, scryptSync } from 'node:crypto';
import t from 'tap';
import { toHex } from '#engine/base/bytes.ts';
import { scryptInSlices } from '#engine/format/scrypt-kernel.ts';
import { bytesOf } from './text-bytes.ts';

t.test('the third vector of RFC 7914, section 12, is met', async t => {
  const size = { blocks: 16384, keyBytes: 64 };
  const key = await scryptInSlices('pleaseletmein', bytesOf('SodiumChloride'), size);
  t.equal(
    key && toHex(key),
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
      'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
  );
});

t.test('it gives what OpenSSL gives, whatever the password and the size', async t => {
  const salt = new Uint8Array(randomBytes(32));
  for (const blocks of [4, 8, 64, 1024, 8192]) {
    for (const password of ['', 'pass', 'p\u00e4ssw\u00f6rd \u{1f511}', 'x'.repeat(4096)]) {
      const key = await scryptInSlices(password, salt, { blocks, keyBytes: 32 });
      const expected = scryptSync(password, salt, 32, { N: blocks, r: 8, p: 1, maxmem: 2 ** 26 });
      t.equal(key && toHex(key), toHex(expected), `salt ${toHex(salt)}, N = ${blocks}`);
    }
  }
});

t.test('others get their turn meanwhile', async t => {
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  await scryptInSlices('password', new Uint8Array(32), { blocks: 65536, keyBytes: 32 });
  clearInterval(timer);
  t.ok(turns > 10, `${turns} turns`);
});

t.test('it does not keep its memory', async t => {
  const before = process.memoryUsage.rss();
  for (let round = 0; round < 4; round++) {
    await scryptInSlices('password', new Uint8Array(32), { blocks: 65536, keyBytes: 32 });
  }
  const grownMib = (process.memoryUsage.rss() - before) / 2 ** 20;
  t.ok(grownMib < 16, `${grownMib} MiB`);
});
