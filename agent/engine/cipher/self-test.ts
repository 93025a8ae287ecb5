// Before native code is trusted with anybody's data it must open what kopia sealed, agree with
// node:crypto both ways and refuse a changed tag. Each cipher is tested once per thread; one that
// fails is never used again there, and the portable form serves.

import { equalBytes, fromHex } from '#engine/base/bytes.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { ContentCipher } from './content-cipher.ts';
import { openBytes, sealBytes } from './seal-bytes.ts';

export interface CipherForms {
  readonly name: string;
  /** `hello` sealed by kopia under SELF_TEST_SECRET and SELF_TEST_IV, in hexadecimal. */
  readonly sealedHello: string;
  readonly createNative: (secret: Uint8Array) => ContentCipher | undefined;
  readonly createPortable: (secret: Uint8Array) => ContentCipher;
}

// kopia-format.md 16.2: derived from the master key 80..9f.
const SELF_TEST_SECRET = '460d9c1e280cd974081bdd2d9deee86ec558def939d959d30eb258123e42aec2';
const SELF_TEST_IV = '0303f40780e21a28597f9b8787ad48f4';
// Several blocks and a rest.
const PATTERN = Uint8Array.from({ length: 1000 }, (_, i) => (7 * i + 3) & 0xff);

const outcomes = new Map<string, boolean>();

/** Whether the native form of a cipher does what the portable one does. */
export function passesSelfTest(forms: CipherForms): boolean {
  let outcome = outcomes.get(forms.name);
  if (outcome === undefined) {
    outcome = isRight(forms);
    outcomes.set(forms.name, outcome);
  }
  return outcome;
}

function isRight(forms: CipherForms): boolean {
  const secret = bytesOf(SELF_TEST_SECRET);
  const iv = bytesOf(SELF_TEST_IV);
  const native = forms.createNative(secret);
  if (native === undefined) return false;
  const portable = forms.createPortable(secret);
  const sealedHello = bytesOf(forms.sealedHello);
  const hello = new TextEncoder().encode('hello');
  try {
    return (
      equalBytes(openBytes(native, sealedHello, iv), hello) &&
      equalBytes(openBytes(portable, sealBytes(native, PATTERN, iv), iv), PATTERN) &&
      equalBytes(openBytes(native, sealBytes(portable, PATTERN, iv), iv), PATTERN) &&
      refusesChangedTag(native, sealedHello, iv)
    );
  } catch (error) {
    if (isEngineError(error, 'CONTENT_DAMAGED', 'INTERNAL')) return false;
    throw error;
  }
}

function refusesChangedTag(cipher: ContentCipher, sealed: Uint8Array, iv: Uint8Array): boolean {
  const changed = sealed.slice();
  changed[changed.length - 1] ^= 1;
  try {
    openBytes(cipher, changed, iv);
    return false;
  } catch (error) {
    if (isEngineError(error, 'CONTENT_DAMAGED')) return true;
    throw error;
  }
}

/** Of the constants above and in the table, which are hexadecimal. */
function bytesOf(hex: string): Uint8Array {
  return fromHex(hex) ?? new Uint8Array(0);
}
