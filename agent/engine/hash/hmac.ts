// The HMAC hashes (kopia repo/hashing/sha_hashes.go): HMAC over SHA-2 or SHA-3, some cut off.

import { createHmac } from 'node:crypto';
import type { Arena } from '#engine/base/arena.ts';
import type { ContentHash, HashAlgorithm } from './content-hash.ts';
import { assertRange } from './digest-range.ts';
import { hashAlgorithm } from './hash-family.ts';
import type { SelfTestVectors } from './self-test.ts';

// HMAC itself takes keys of any length; kopia writes 32 bytes.
const LIMITS = Object.freeze({ bytesMin: 0, bytesMax: 1024 });

interface Family {
  /** Names of the digest in OpenSSL and in node:crypto. */
  readonly digest: string;
  readonly nodeDigest: string;
  readonly vectors: SelfTestVectors;
}

const SHA256: Family = Object.freeze({
  digest: 'SHA2-256',
  nodeDigest: 'sha256',
  vectors: {
    hello: '01043290094dcd211076cd9e66c478f57891856c3dbf5950f51141911b6ca433',
    pattern: '060d5059137515ccde796f7cec48c63f3dc969fa7218a018fb266129fe89526d',
  },
});
const SHA224: Family = Object.freeze({
  digest: 'SHA2-224',
  nodeDigest: 'sha224',
  vectors: {
    hello: '79f900073d341b238ebb251c62937def362771a802cc1677c6d85ec4',
    pattern: 'a66976b3d718a50dd6163ac1008dba89976d20c6096b279332981ae2',
  },
});
const SHA3_224: Family = Object.freeze({
  digest: 'SHA3-224',
  nodeDigest: 'sha3-224',
  vectors: {
    hello: '30279c2a3862feba421bb30e36bb0c25bb46650a4b411716c85356a1',
    pattern: 'fdd3ebf2abc12e483783d4535a7cf6f25843d6aa8ca7ac4b15524020',
  },
});
const SHA3_256: Family = Object.freeze({
  digest: 'SHA3-256',
  nodeDigest: 'sha3-256',
  vectors: {
    hello: '06a643a41ba08438fdbb6de956e8734cba72c53b33e2955f645ebe198aa21263',
    pattern: '1e9ca428a5f57607a7d7099ecf49870cf200a333583f32a16b6e5ee3cb20d0ae',
  },
});

function row(name: string, digestBytes: number, family: Family): HashAlgorithm {
  return hashAlgorithm({
    name,
    digestBytes,
    mac: 'HMAC',
    digest: family.digest,
    limits: LIMITS,
    vectors: family.vectors,
    createPortable: secret => createNodeHmac(name, digestBytes, family.nodeDigest, secret),
  });
}

function createNodeHmac(
  name: string,
  digestBytes: number,
  nodeDigest: string,
  secret: Uint8Array,
): ContentHash {
  const key = secret.slice();
  return Object.freeze({
    name,
    digestBytes,
    digest(input: Arena, offset: number, length: number, out: Uint8Array, outOffset: number): void {
      assertRange(input.bytes, offset, length);
      assertRange(out, outOffset, digestBytes);
      const hmac = createHmac(nodeDigest, key);
      const result = hmac.update(input.bytes.subarray(offset, offset + length)).digest();
      out.set(result.subarray(0, digestBytes), outOffset);
    },
  });
}

export const HMAC_HASHES: readonly HashAlgorithm[] = Object.freeze([
  row('HMAC-SHA256-128', 16, SHA256),
  row('HMAC-SHA256', 32, SHA256),
  row('HMAC-SHA224', 28, SHA224),
  row('HMAC-SHA3-224', 28, SHA3_224),
  row('HMAC-SHA3-256', 32, SHA3_256),
]);
