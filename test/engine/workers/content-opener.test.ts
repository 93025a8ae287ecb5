import t from 'tap';
import { allocateArena } from '#engine/base/arena.ts';
import { NONCE_BYTES } from '#engine/cipher/content-cipher.ts';
import { sealBytes } from '#engine/cipher/seal-bytes.ts';
import { compressorByName } from '#engine/compress/compressors.ts';
import { contentIv } from '#engine/format/content-id.ts';
import { keyOf, newCipher, newOpener } from './pack-scene.ts';

const text = new Uint8Array(Buffer.from('text that comes again and again\n'.repeat(100)));
const zstd = compressorByName('zstd-fastest');

interface Sample {
  readonly sealed: Uint8Array;
  readonly key: Uint8Array;
  readonly originalBytes: number;
  readonly compressionId: number;
}

function sample(stored: Uint8Array, compressionId = 0): Sample {
  const key = keyOf(text, 'k'.charCodeAt(0));
  const sealed = sealBytes(newCipher(), stored, contentIv(key));
  return { sealed, key, originalBytes: text.length, compressionId };
}

const plain = sample(text);
const compressed = sample(zstd?.compress(text) ?? text, zstd?.headerId);

/** Opens with other bytes around, where neighbours lie in a pack. */
function open({ sealed, ...content }: Sample): Uint8Array {
  const arena = allocateArena(sealed.length + 200);
  arena.bytes.fill(0xee);
  arena.bytes.set(sealed, 64);
  return newOpener().open(arena, { ...content, offset: 64, length: sealed.length });
}

t.test('a content comes out as it went in', async t => {
  t.strictSame(new Uint8Array(open(plain)), text);
  t.ok(compressed.sealed.length < plain.sealed.length);
  t.strictSame(new Uint8Array(open(compressed)), text);
});

t.test('a content that is not compressed is not copied', async t => {
  const arena = allocateArena(plain.sealed.length);
  arena.bytes.set(plain.sealed);
  const opened = newOpener().open(arena, { ...plain, offset: 0, length: plain.sealed.length });
  t.equal(opened.buffer, arena.bytes.buffer);
  t.equal(opened.byteOffset, NONCE_BYTES);
});

const damages: Readonly<Record<string, Sample>> = {
  'a bit of the nonce': { ...plain, sealed: flipped(plain.sealed, 0) },
  'a bit of the bytes': { ...plain, sealed: flipped(plain.sealed, 100) },
  'a bit of the tag': { ...plain, sealed: flipped(plain.sealed, plain.sealed.length - 1) },
  'a missing end': { ...plain, sealed: plain.sealed.subarray(0, -1) },
  'hardly any bytes': { ...plain, sealed: plain.sealed.subarray(0, 20) },
  'no bytes': { ...plain, sealed: new Uint8Array() },
  'bytes of another content under this key': {
    ...plain,
    sealed: sealBytes(newCipher(), text.subarray(1), contentIv(plain.key)),
    originalBytes: text.length - 1,
  },
  'another prefix in the index': { ...plain, key: Uint8Array.from(plain.key).fill(7, 1, 2) },
  'a length that the index has wrong': { ...plain, originalBytes: text.length + 1 },
  'a compressed length that the index has wrong': { ...compressed, originalBytes: 10 },
  'compression that is not there': { ...plain, compressionId: zstd?.headerId ?? 1 },
  'compression that the index does not know of': { ...compressed, compressionId: 0 },
  'compression of a kind that nobody knows': { ...compressed, compressionId: 0x7777 },
  'a compressed stream that stops early': sample(
    (zstd?.compress(text) ?? text).subarray(0, -3),
    zstd?.headerId,
  ),
};

function flipped(bytes: Uint8Array, index: number): Uint8Array {
  const copy = bytes.slice();
  copy[index] ^= 1;
  return copy;
}

for (const [damage, damaged] of Object.entries(damages)) {
  t.test(`${damage} is damage, and the content is named`, async t => {
    const id = `k${Buffer.from(damaged.key.subarray(1)).toString('hex')}`;
    t.throws(() => open(damaged), {
      code: 'CONTENT_DAMAGED',
      message: new RegExp(`content ${id} `),
    });
  });
}

t.test('an opener goes on after damage', async t => {
  const opener = newOpener();
  const arena = allocateArena(plain.sealed.length);
  const content = { ...plain, offset: 0, length: plain.sealed.length };
  t.throws(() => opener.open(arena, content));
  arena.bytes.set(plain.sealed);
  t.strictSame(new Uint8Array(opener.open(arena, content)), text);
});
