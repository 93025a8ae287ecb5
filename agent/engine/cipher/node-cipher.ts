// The ciphers by node:crypto: always there, and what the native form is compared with. Each call
// costs about 30 us before the first byte, which is why it is the slow path.

import { createHmac, type CipherGCM, type DecipherGCM } from 'node:crypto';
import { assertOpen, assertSeal, tagMismatch } from './cipher-checks.ts';
import { NONCE_BYTES, SEAL_BYTES, type ContentCipher, type Region } from './content-cipher.ts';
import { NonceSource } from './nonces.ts';

export interface NodeCipherSpec {
  readonly name: string;
  readonly encipher: (key: Uint8Array, nonce: Uint8Array) => CipherGCM;
  readonly decipher: (key: Uint8Array, nonce: Uint8Array) => DecipherGCM;
}

/** `secret` is copied. */
export function createNodeCipher(spec: NodeCipherSpec, secret: Uint8Array): ContentCipher {
  const ownSecret = secret.slice();
  const nonces = new NonceSource();
  const contentKey = (iv: Uint8Array) => createHmac('sha256', ownSecret).update(iv).digest();

  return Object.freeze({
    name: spec.name,

    seal(plaintext: Region, length: number, sealed: Region, iv: Uint8Array): void {
      assertSeal(plaintext, length, sealed, iv);
      const out = view(sealed, length + SEAL_BYTES);
      const nonce = new Uint8Array(NONCE_BYTES);
      nonces.writeNext(nonce, 0);
      const cipher = spec.encipher(contentKey(iv), nonce).setAAD(iv);
      const text = cipher.update(view(plaintext, length));
      cipher.final();
      out.set(nonce);
      out.set(text, NONCE_BYTES);
      out.set(cipher.getAuthTag(), NONCE_BYTES + length);
    },

    open(sealed: Region, length: number, plaintext: Region, iv: Uint8Array): void {
      assertOpen(sealed, length, plaintext, iv);
      const input = view(sealed, length);
      const tagAt = length - SEAL_BYTES + NONCE_BYTES;
      const decipher = spec.decipher(contentKey(iv), input.subarray(0, NONCE_BYTES));
      decipher.setAAD(iv).setAuthTag(input.subarray(tagAt));
      const text = decipher.update(input.subarray(NONCE_BYTES, tagAt));
      try {
        decipher.final();
      } catch {
        // final() has one way to fail for these ciphers, and its message says less than ours.
        throw tagMismatch(spec.name, length);
      }
      view(plaintext, text.length).set(text);
    },
  });
}

function view({ arena, offset }: Region, length: number): Uint8Array {
  return arena.bytes.subarray(offset, offset + length);
}
