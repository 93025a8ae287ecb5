// AssemblyScript. The part of scrypt (RFC 7914) that takes the time and the memory, over bytes that
// lie in this module's memory; scrypt-kernel.ts prepares them and calls these, build.ts compiles.
//
// A block is 1,024 bytes (r = 8). Of the table of N blocks that the algorithm reads at random every
// second is kept; one that is missing is computed again from the kept one before it. That is 1.25
// times the work in half the memory. How long that takes for N = 65536 is decided by how far memory
// is from a core: with every block, second, fourth kept and by OpenSSL 0.26, 0.24, 0.26, 0.28 s on
// one machine, 0.18, 0.21, 0.26, 0.13 on another, where small commands peaked at 85 MiB with a
// quarter of the table and at 98 with half of it.
//
// Within each 64 bytes word i stands where word 5 i mod 16 would, so that four vectors hold the
// diagonals of the matrix and a round of Salsa20 needs no more than turning three of them (the order
// that Colin Percival's SSE2 version of scrypt uses).

const BLOCK: usize = 1024;
/** A block of zeros, three scratch blocks, then the table with one block more than it needs. */
const ZERO: usize = 0;
const SCRATCH_A: usize = 1024;
const SCRATCH_B: usize = 2048;
const SCRATCH_C: usize = 3072;
const TABLE: usize = 4096;
/** One block in 2^SKIP_BITS is kept. */
const SKIP_BITS: u32 = 1;
const SKIPPED: u32 = (1 << SKIP_BITS) - 1;
/** Where the first word of the last 64 bytes of a block lies. */
const LAST_WORD: usize = 960;

// @ts-ignore: decorator
@inline
function turn(x: v128, y: v128, left: i32): v128 {
  const sum = i32x4.add(x, y);
  return v128.xor(i32x4.shl(sum, left), i32x4.shr_u(sum, 32 - left));
}

/** BlockMix of the XOR of two blocks, to a third place. */
function mix(from: usize, other: usize, to: usize): void {
  let x0 = v128.xor(v128.load(from, 960), v128.load(other, 960));
  let x1 = v128.xor(v128.load(from, 976), v128.load(other, 976));
  let x2 = v128.xor(v128.load(from, 992), v128.load(other, 992));
  let x3 = v128.xor(v128.load(from, 1008), v128.load(other, 1008));
  let target = to;
  let step: isize = 512;
  for (const end = from + BLOCK; from < end; from += 64, other += 64) {
    x0 = v128.xor(x0, v128.xor(v128.load(from, 0), v128.load(other, 0)));
    x1 = v128.xor(x1, v128.xor(v128.load(from, 16), v128.load(other, 16)));
    x2 = v128.xor(x2, v128.xor(v128.load(from, 32), v128.load(other, 32)));
    x3 = v128.xor(x3, v128.xor(v128.load(from, 48), v128.load(other, 48)));
    const y0 = x0;
    const y1 = x1;
    const y2 = x2;
    const y3 = x3;
    for (let round = 0; round < 4; round++) {
      x1 = v128.xor(x1, turn(x0, x3, 7));
      x2 = v128.xor(x2, turn(x1, x0, 9));
      x3 = v128.xor(x3, turn(x2, x1, 13));
      x0 = v128.xor(x0, turn(x3, x2, 18));
      x1 = v128.shuffle<u32>(x1, x1, 3, 0, 1, 2);
      x2 = v128.shuffle<u32>(x2, x2, 2, 3, 0, 1);
      x3 = v128.shuffle<u32>(x3, x3, 1, 2, 3, 0);
      x3 = v128.xor(x3, turn(x0, x1, 7));
      x2 = v128.xor(x2, turn(x3, x0, 9));
      x1 = v128.xor(x1, turn(x2, x3, 13));
      x0 = v128.xor(x0, turn(x1, x2, 18));
      x1 = v128.shuffle<u32>(x1, x1, 1, 2, 3, 0);
      x2 = v128.shuffle<u32>(x2, x2, 2, 3, 0, 1);
      x3 = v128.shuffle<u32>(x3, x3, 3, 0, 1, 2);
    }
    x0 = i32x4.add(x0, y0);
    x1 = i32x4.add(x1, y1);
    x2 = i32x4.add(x2, y2);
    x3 = i32x4.add(x3, y3);
    v128.store(target, x0, 0);
    v128.store(target, x1, 16);
    v128.store(target, x2, 32);
    v128.store(target, x3, 48);
    // Even ones to the first half, odd ones to the second.
    target += step;
    step = step > 0 ? -448 : 512;
  }
}

/** The block `steps` steps behind the one at `from`, in scratch memory unless there are none. */
function ahead(from: usize, steps: u32): usize {
  for (; steps > 0; steps--) {
    const to = from == SCRATCH_A ? SCRATCH_B : SCRATCH_A;
    mix(from, ZERO, to);
    from = to;
  }
  return from;
}

/** The block of the table that `x` asks for. */
function entry(x: usize, mask: u32): usize {
  const index = load<u32>(x, LAST_WORD) & mask;
  return ahead(TABLE + ((<usize>(index >> SKIP_BITS)) << 10), index & SKIPPED);
}

/** Computes the kept blocks behind `start` up to and including `end`; `start` is there already. */
export function fill(start: u32, end: u32): void {
  for (let kept = start; kept < end; kept++) {
    const from = TABLE + ((<usize>kept) << 10);
    mix(ahead(from, SKIPPED), ZERO, from + BLOCK);
  }
}

/** `pairs` times two steps of the second half on the block behind a table of `blocks` blocks. */
export function blend(pairs: u32, blocks: u32): void {
  const x = TABLE + ((<usize>(blocks >> SKIP_BITS)) << 10);
  for (; pairs > 0; pairs--) {
    mix(x, entry(x, blocks - 1), SCRATCH_C);
    mix(SCRATCH_C, entry(SCRATCH_C, blocks - 1), x);
  }
}
