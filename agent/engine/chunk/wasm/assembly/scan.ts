// AssemblyScript. The two rolling hashes of kopia's dynamic splitters, over bytes that lie in this
// module's memory. scan-kernel.ts builds the tables below and calls these; build.ts compiles.
//
// A scan tests the positions behind `start` up to and including `end`, reads nothing but [start -
// 64, end), and returns the first position whose last 64 bytes hash to 0 under `mask`, or 0. It
// keeps no state between calls.

/** ROTATED + 1024 * k holds the 256 words of the buzhash table rotated right by k, k = 0..8. */
const ROTATED: usize = 0x400;
/** 64 words of history, then one word for each position of a block. */
const HISTORY: usize = 0x4000;
const BLOCK: usize = 2048;
/** 256 words of 64 bits each: what a leaving byte takes away, and the reduction of 8 high bits. */
const RABIN_LEAVING: usize = 0x8000;
const RABIN_REDUCED: usize = 0x8800;

// What is stored for a position is not the hash but X, the running value from which no byte leaves;
// the hash is X[n] ^ X[n - 64], because 64 rotations are none. Within eight bytes the rotation is
// left undone (tables rotated the other way supply it), so it costs one instruction in eight; both
// sides of the XOR lack the same rotation, so the mask is rotated to fit. 2.6 GB/s of bytes tested,
// where rotating for each byte gives 1.7 with one and 2.2 with two interleaved values, and the
// textbook loop 1.25.

/** Appends the bytes from `p` on to `x` and stores the value after each at `q`, up to `qEnd`. */
function append(x: u32, p: usize, q: usize, qEnd: usize): u32 {
  for (; q < qEnd; q += 64, p += 16) {
    x ^= load<u32>((<usize>load<u8>(p, 0)) << 2, ROTATED + 1024);
    store<u32>(q, x, 0);
    x ^= load<u32>((<usize>load<u8>(p, 1)) << 2, ROTATED + 2048);
    store<u32>(q, x, 4);
    x ^= load<u32>((<usize>load<u8>(p, 2)) << 2, ROTATED + 3072);
    store<u32>(q, x, 8);
    x ^= load<u32>((<usize>load<u8>(p, 3)) << 2, ROTATED + 4096);
    store<u32>(q, x, 12);
    x ^= load<u32>((<usize>load<u8>(p, 4)) << 2, ROTATED + 5120);
    store<u32>(q, x, 16);
    x ^= load<u32>((<usize>load<u8>(p, 5)) << 2, ROTATED + 6144);
    store<u32>(q, x, 20);
    x ^= load<u32>((<usize>load<u8>(p, 6)) << 2, ROTATED + 7168);
    store<u32>(q, x, 24);
    x ^= load<u32>((<usize>load<u8>(p, 7)) << 2, ROTATED + 8192);
    store<u32>(q, x, 28);
    x = rotl(x, 8);
    x ^= load<u32>((<usize>load<u8>(p, 8)) << 2, ROTATED + 1024);
    store<u32>(q, x, 32);
    x ^= load<u32>((<usize>load<u8>(p, 9)) << 2, ROTATED + 2048);
    store<u32>(q, x, 36);
    x ^= load<u32>((<usize>load<u8>(p, 10)) << 2, ROTATED + 3072);
    store<u32>(q, x, 40);
    x ^= load<u32>((<usize>load<u8>(p, 11)) << 2, ROTATED + 4096);
    store<u32>(q, x, 44);
    x ^= load<u32>((<usize>load<u8>(p, 12)) << 2, ROTATED + 5120);
    store<u32>(q, x, 48);
    x ^= load<u32>((<usize>load<u8>(p, 13)) << 2, ROTATED + 6144);
    store<u32>(q, x, 52);
    x ^= load<u32>((<usize>load<u8>(p, 14)) << 2, ROTATED + 7168);
    store<u32>(q, x, 56);
    x ^= load<u32>((<usize>load<u8>(p, 15)) << 2, ROTATED + 8192);
    store<u32>(q, x, 60);
    x = rotl(x, 8);
  }
  return x;
}

/** The mask for four neighbouring positions, of which the first lacks `turns` rotations. */
function rotatedMask(mask: u32, turns: i32): v128 {
  let masks = i32x4.splat(rotr(mask, turns));
  masks = i32x4.replace_lane(masks, 1, rotr(mask, turns + 1));
  masks = i32x4.replace_lane(masks, 2, rotr(mask, turns + 2));
  return i32x4.replace_lane(masks, 3, rotr(mask, turns + 3));
}

/** Whether a position of the block in HISTORY may end a chunk. */
function hasCut(low: v128, high: v128): bool {
  let smallest = i32x4.splat(-1);
  for (let q = HISTORY; q < HISTORY + 4 * BLOCK; q += 64) {
    const a = v128.and(v128.xor(v128.load(q, 256), v128.load(q, 0)), low);
    const b = v128.and(v128.xor(v128.load(q, 272), v128.load(q, 16)), high);
    const c = v128.and(v128.xor(v128.load(q, 288), v128.load(q, 32)), low);
    const d = v128.and(v128.xor(v128.load(q, 304), v128.load(q, 48)), high);
    const ab = i32x4.min_u(a, b);
    smallest = i32x4.min_u(smallest, i32x4.min_u(ab, i32x4.min_u(c, d)));
  }
  return !i32x4.all_true(smallest);
}

export function scanBuzhash(start: usize, end: usize, mask: u32): usize {
  let p = start;
  if (p + BLOCK <= end) {
    const low = rotatedMask(mask, 1);
    const high = rotatedMask(mask, 5);
    let x = append(0, p - 64, HISTORY, HISTORY + 256);
    do {
      x = append(x, p, HISTORY + 256, HISTORY + 256 + 4 * BLOCK);
      // Which position it is costs a second look at 2 KiB, once in a chunk.
      if (hasCut(low, high)) break;
      memory.copy(HISTORY, HISTORY + 4 * BLOCK, 256);
      p += BLOCK;
    } while (p + BLOCK <= end);
  }
  return scanBuzhashSimply(p, end, mask);
}

function scanBuzhashSimply(start: usize, end: usize, mask: u32): usize {
  let hash: u32 = 0;
  for (let p = start - 64; p < start; p++) {
    hash = rotl(hash, 1) ^ load<u32>((<usize>load<u8>(p)) << 2, ROTATED);
  }
  for (let p = start; p < end; p++) {
    const leaving = load<u32>((<usize>load<u8>(p - 64)) << 2, ROTATED);
    hash = rotl(hash, 1) ^ leaving ^ load<u32>((<usize>load<u8>(p)) << 2, ROTATED);
    if (!(hash & mask)) return p + 1;
  }
  return 0;
}

// The next Rabin fingerprint needs the one before through a table, some eight cycles a byte. Four
// stretches of a block side by side keep the machine busy meanwhile.
const STRETCH: usize = 1024;

// @ts-ignore: a decorator on a function is AssemblyScript's
@inline function enter(fingerprint: u64, p: usize): u64 {
  const reduced = load<u64>((<usize>(fingerprint >> 45)) << 3, RABIN_REDUCED);
  return ((fingerprint << 8) | <u64>load<u8>(p)) ^ reduced;
}

// @ts-ignore: a decorator on a function is AssemblyScript's
@inline function roll(fingerprint: u64, p: usize): u64 {
  return enter(fingerprint ^ load<u64>((<usize>load<u8>(p - 64)) << 3, RABIN_LEAVING), p);
}

function fingerprintBefore(position: usize): u64 {
  let fingerprint: u64 = 0;
  for (let p = position - 64; p < position; p++) fingerprint = enter(fingerprint, p);
  return fingerprint;
}

export function scanRabinKarp(start: usize, end: usize, mask: u32): usize {
  let p = start;
  for (; p + 4 * STRETCH <= end; p += 4 * STRETCH) {
    let a = fingerprintBefore(p);
    let b = fingerprintBefore(p + STRETCH);
    let c = fingerprintBefore(p + 2 * STRETCH);
    let d = fingerprintBefore(p + 3 * STRETCH);
    for (let i = p; i < p + STRETCH; i++) {
      a = roll(a, i);
      b = roll(b, i + STRETCH);
      c = roll(c, i + 2 * STRETCH);
      d = roll(d, i + 3 * STRETCH);
      const hasNone = min(min(<u32>a & mask, <u32>b & mask), min(<u32>c & mask, <u32>d & mask));
      if (!hasNone) return scanRabinKarpSimply(p, end, mask);
    }
  }
  return scanRabinKarpSimply(p, end, mask);
}

function scanRabinKarpSimply(start: usize, end: usize, mask: u32): usize {
  let fingerprint = fingerprintBefore(start);
  for (let p = start; p < end; p++) {
    fingerprint = roll(fingerprint, p);
    if (!(<u32>fingerprint & mask)) return p + 1;
  }
  return 0;
}
