// The rolling hash of kopia's DYNAMIC-*-RABINKARP splitters (kopia
// repo/splitter/splitter_rabinkarp64.go; github.com/chmduquesne/rollinghash v4.0.0, rabinkarp64):
// the last 64 bytes, read as a polynomial over GF(2) with the first byte highest, modulo a
// polynomial of degree 53. kopia begins a chunk with a window of zeros, which is out of sight long
// before the first position that may end one: a chunk has at least 64 KiB.

const POLYNOMIAL = 0x2e3e3e4a305605n;
const DEGREE = 53n;
const WINDOW_BYTES = 64;

export interface RabinTables {
  /** leaving[b] is the fingerprint of b followed by 63 zero bytes. */
  readonly leaving: BigUint64Array;
  /** reduced[b] clears the eight bits b above the degree and adds what they are modulo it. */
  readonly reduced: BigUint64Array;
}

function remainder(polynomial: bigint): bigint {
  let rest = polynomial;
  for (let bit = DEGREE + 8n; bit >= DEGREE; bit--) {
    if ((rest >> bit) & 1n) rest ^= POLYNOMIAL << (bit - DEGREE);
  }
  return rest;
}

/** A table of something linear, from its values for the eight bytes with one bit. */
function linearTable(valueOf: (byte: bigint) => bigint): BigUint64Array {
  const table = new BigUint64Array(256);
  for (let bit = 0; bit < 8; bit++) {
    const value = valueOf(1n << BigInt(bit));
    for (let low = 0; low < 1 << bit; low++) table[(1 << bit) + low] = table[low] ^ value;
  }
  return table;
}

function buildTables(): RabinTables {
  const leaving = linearTable(byte => {
    let fingerprint = byte;
    for (let i = 1; i < WINDOW_BYTES; i++) fingerprint = remainder(fingerprint << 8n);
    return fingerprint;
  });
  const reduced = linearTable(byte => (byte << DEGREE) ^ remainder(byte << DEGREE));
  return { leaving, reduced };
}

interface SplitTables {
  readonly leavingHigh: Int32Array;
  readonly leavingLow: Int32Array;
  readonly reducedHigh: Int32Array;
  readonly reducedLow: Int32Array;
}

let tables: RabinTables | undefined;
let splitTables: SplitTables | undefined;

export function rabinTables(): RabinTables {
  tables ??= buildTables();
  return tables;
}

function rabinSplitTables(): SplitTables {
  if (splitTables !== undefined) return splitTables;
  const { leaving, reduced } = rabinTables();
  const low = (table: BigUint64Array) => Int32Array.from(table, v => Number(v & 0xffffffffn) | 0);
  const high = (table: BigUint64Array) => Int32Array.from(table, v => Number(v >> 32n));
  splitTables = {
    leavingHigh: high(leaving),
    leavingLow: low(leaving),
    reducedHigh: high(reduced),
    reducedLow: low(reduced),
  };
  return splitTables;
}

/** Like scanBuzhash, with the Rabin fingerprint for hash. `mask` has at most 32 bits. */
export function scanRabinKarp(bytes: Uint8Array, start: number, end: number, mask: number): number {
  const { leavingHigh, leavingLow, reducedHigh, reducedLow } = rabinSplitTables();
  // 53 bits do not fit an int32: 21 of them stand in `high`, 29 while a byte enters.
  let high = 0;
  let low = 0;
  for (let p = start - WINDOW_BYTES; p < end; p++) {
    if (p >= start) {
      const byte = bytes[p - WINDOW_BYTES];
      high ^= leavingHigh[byte];
      low ^= leavingLow[byte];
    }
    const index = high >>> 13;
    high = ((high << 8) | (low >>> 24)) ^ reducedHigh[index];
    low = ((low << 8) | bytes[p]) ^ reducedLow[index];
    if ((low & mask) === 0 && p >= start) return p + 1;
  }
  return 0;
}
