// CRC-32C (Castagnoli, RFC 3720 appendix B.4), for storages whose owner asks for it: zlib has only
// the other polynomial. Four tables take four bytes at a time.

const POLYNOMIAL = 0x82f63b78;
const TABLES = makeTables();

/** @param before the value of the bytes that came before; 0 for none */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const [first, second, third, fourth] = TABLES;
  const wordsEnd = bytes.length - (bytes.length % 4);
  let crc = ~before;
  let at = 0;
  for (; at < wordsEnd; at += 4) {
    crc ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    crc =
      fourth[crc & 0xff] ^
      third[(crc >>> 8) & 0xff] ^
      second[(crc >>> 16) & 0xff] ^
      first[crc >>> 24];
  }
  for (; at < bytes.length; at++) crc = first[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Table n says what a byte does to the value when n more bytes follow it. */
function makeTables(): readonly Int32Array[] {
  const tables = Array.from({ length: 4 }, () => new Int32Array(256));
  const [first] = tables;
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[byte] = crc;
  }
  for (let table = 1; table < tables.length; table++) {
    for (let byte = 0; byte < 256; byte++) {
      const crc = tables[table - 1][byte];
      tables[table][byte] = first[crc & 0xff] ^ (crc >>> 8);
    }
  }
  return tables;
}
