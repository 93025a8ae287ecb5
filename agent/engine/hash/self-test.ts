// Before native code is trusted with anybody's data it must give known answers. An algorithm is
// tested once per thread; one that fails is never used again there, and the portable form serves.

import { arenaOver } from '#engine/base/arena.ts';
import { toHex } from '#engine/base/bytes.ts';
import type { ContentHash } from './content-hash.ts';

/** Known answers under the secret 40..5f, in hexadecimal, not truncated. */
export interface SelfTestVectors {
  /** Of the text `hello`. */
  readonly hello: string;
  /** Of 300 bytes, byte i being (7 i + 3) mod 256: longer than the block of any hash we use. */
  readonly pattern: string;
}

const SELF_TEST_SECRET = Uint8Array.from({ length: 32 }, (_, i) => 0x40 + i);

const HELLO = new TextEncoder().encode('hello');
const PATTERN = Uint8Array.from({ length: 300 }, (_, i) => (7 * i + 3) & 0xff);
// Not a multiple of anything, so that a lost offset or an aligned load shows.
const OFFSET = 13;

const outcomes = new Map<string, boolean>();

/** Whether `create` gives hashes with the known answers; one instance gives several of them. */
export function passesSelfTest(
  name: string,
  vectors: SelfTestVectors,
  create: (secret: Uint8Array) => ContentHash | undefined,
): boolean {
  let outcome = outcomes.get(name);
  if (outcome === undefined) {
    const hash = create(SELF_TEST_SECRET);
    outcome = hash !== undefined && givesKnownAnswers(hash, vectors);
    outcomes.set(name, outcome);
  }
  return outcome;
}

function givesKnownAnswers(hash: ContentHash, vectors: SelfTestVectors): boolean {
  const rounds = [
    { message: HELLO, expected: vectors.hello },
    { message: PATTERN, expected: vectors.pattern },
    { message: HELLO, expected: vectors.hello },
  ];
  return rounds.every(({ message, expected }) => digestAtOffset(hash, message) === expected);
}

function digestAtOffset(hash: ContentHash, message: Uint8Array): string {
  const bytes = new Uint8Array(new ArrayBuffer(OFFSET + message.length + OFFSET)).fill(0xa5);
  bytes.set(message, OFFSET);
  const out = new Uint8Array(OFFSET + hash.digestBytes);
  hash.digest(arenaOver(bytes), OFFSET, message.length, out, OFFSET);
  return toHex(out.subarray(OFFSET));
}
