import t from 'tap';
import { createChecksum } from '#engine/cache/checksum.ts';
import { checkOf, PIECE_BYTES, readChecked } from '#engine/cache/pieces.ts';
import { MIB } from './scratch-cache.ts';

const place = { key: { a: 1, b: 2, c: 3, d: 4 }, offset: 3 * MIB };
const SIZES = [0, 1, 4096, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, MIB];

function pattern(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length)).map((_, index) => index % 251);
}

for (const isNativeAllowed of [true, false]) {
  const checksum = createChecksum({ isNativeAllowed });

  t.test(`${checksum.kind}: what is read in any order has the check that was stored`, async t => {
    for (const [index, size] of [...SIZES, ...SIZES].entries()) {
      const isInMemory = index < SIZES.length;
      const stored = pattern(size);
      const waiting: (() => void)[] = [];
      const bytes = new Uint8Array(new ArrayBuffer(size));
      const fill = (at: number, target: Uint8Array) =>
        target.set(stored.subarray(at, at + target.length));
      const reading = readChecked(checksum, place, bytes, {
        now: (at, target) => {
          if (isInMemory) fill(at, target);
          return isInMemory;
        },
        read: (at, target) => {
          fill(at, target);
          return new Promise(resolve => waiting.push(() => resolve(true)));
        },
      });
      while (waiting.length > 0) {
        waiting.pop()?.();
        await Promise.resolve();
      }
      t.same(await reading, checkOf(checksum, place, stored), `${size} bytes`);
      t.equal(Buffer.compare(bytes, stored), 0);
    }
  });

  t.test(`${checksum.kind}: a changed byte, a swap and another place are noticed`, t => {
    const bytes = pattern(MIB);
    const check = checkOf(checksum, place, bytes);
    for (const at of [0, PIECE_BYTES - 1, PIECE_BYTES, MIB - 1]) {
      const changed = bytes.slice();
      changed[at] ^= 1;
      t.strictNotSame(checkOf(checksum, place, changed), check, `byte ${at}`);
    }
    const swapped = Buffer.concat([bytes.subarray(PIECE_BYTES), bytes.subarray(0, PIECE_BYTES)]);
    t.strictNotSame(checkOf(checksum, place, new Uint8Array(swapped)), check);
    t.strictNotSame(checkOf(checksum, place, bytes.subarray(0, PIECE_BYTES)), check);
    t.strictNotSame(checkOf(checksum, { ...place, offset: 4 * MIB }, bytes), check);
    const zeros = new Uint8Array(new ArrayBuffer(MIB));
    t.strictNotSame(checkOf(checksum, place, zeros), { a: 0, b: 0 }, 'equal pieces do not cancel');
    t.end();
  });
}

t.test('an entry that ends too soon has no check, and a failure waits for all reads', async t => {
  const checksum = createChecksum();
  const bytes = pattern(MIB);
  const now = () => false;
  const short = { now, read: async (at: number) => at === 0 };
  t.equal(await readChecked(checksum, place, bytes, short), undefined);
  let hasEnded = false;
  const read = async (at: number) => {
    if (at === 0) throw new Error('EIO');
    await new Promise(resolve => setImmediate(resolve));
    hasEnded = true;
    return true;
  };
  const failing = readChecked(checksum, place, bytes, { now, read });
  await t.rejects(failing, { message: 'EIO' });
  t.ok(hasEnded);
});
