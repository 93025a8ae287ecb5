// FastCDC with the sizes of a kopia splitter: what sources are cut with that nobody has cut before
// (DESIGN.md, decision 3). The cuts are those of the package fastcdc-wasm, which wants all the
// bytes of a chunk at once and keeps no state. Here they come a little at a time.
//
// Resuming: two hashes that see the same bytes keep their order and halve their distance with each.
// If the smallest and the greatest possible hash have met after 128 bytes, every hash has, so the
// package may begin 128 bytes back and finds what it would have found from the start. On bytes
// where they do not meet (runs of one value) a chunk is scanned again from its start, but not
// before twice as much has come.

import { FastCdcPackage } from './fastcdc.ts';
import { GearScan, gearMask, gearStep } from './gear.ts';
import { assertInside } from './position-splitter.ts';
import { fillWithNoise } from './self-test.ts';
import type { Splitter } from './splitter.ts';

const WARM_UP_BYTES = 128;

export interface FastCdcSizes {
  readonly name: string;
  readonly minBytes: number;
  readonly averageBytes: number;
  readonly maxBytes: number;
}

const SELF_TEST_BYTES = 24 * 1024;
const SELF_TEST_SIZES = Object.freeze({ min: 1024, average: 2048 });

let isTrusted: boolean | undefined;

/** Undefined where WebAssembly cannot be had, or where the package's cuts are not ours. */
export function openFastCdc(bytes: number, sizes: FastCdcSizes): FastCdcSplitter | undefined {
  isTrusted ??= isPackageRight(FastCdcPackage.open(SELF_TEST_BYTES));
  const opened = isTrusted ? FastCdcPackage.open(bytes) : undefined;
  return opened === undefined ? undefined : new FastCdcSplitter(opened, sizes);
}

function isPackageRight(opened: FastCdcPackage | undefined): boolean {
  if (opened === undefined) return false;
  const { bytes } = opened.arena;
  fillWithNoise(bytes);
  const scan = new GearScan(bytes, gearMask(SELF_TEST_SIZES.average));
  let start = 0;
  while (start + SELF_TEST_SIZES.min < bytes.length) {
    scan.restart();
    const expected = scan.next(start + SELF_TEST_SIZES.min, bytes.length) || bytes.length;
    const length = opened.firstChunk(start, bytes.length - start, SELF_TEST_SIZES);
    if (start + length !== expected) return false;
    start = expected;
  }
  return true;
}

export class FastCdcSplitter implements Splitter {
  readonly name: string;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly form = 'wasm';
  readonly #package: FastCdcPackage;
  readonly #sizes: { readonly min: number; readonly average: number };
  /** No position of the current chunk up to here may end it. */
  #scannedBytes: number;

  constructor(fastCdc: FastCdcPackage, sizes: FastCdcSizes) {
    this.#package = fastCdc;
    this.name = sizes.name;
    this.minBytes = sizes.minBytes;
    this.maxBytes = sizes.maxBytes;
    this.#sizes = { min: sizes.minBytes, average: sizes.averageBytes };
    this.#scannedBytes = sizes.minBytes;
  }

  get arena() {
    return this.#package.arena;
  }

  nextCut(offset: number, available: number, isLast: boolean): number {
    assertInside(this.arena, offset, available);
    const end = Math.min(available, this.maxBytes);
    const isFinal = isLast || end === this.maxBytes;
    let stretchEnd = 0;
    while (stretchEnd < end && this.#scannedBytes < end) {
      // The package goes on behind the first cut; with less than a minimum there it does nothing.
      stretchEnd = Math.min(end, this.#scannedBytes + this.minBytes);
      let cut = this.#resume(offset, stretchEnd);
      if (cut === 0) {
        if (!isFinal && end - this.minBytes < 2 * (this.#scannedBytes - this.minBytes)) return 0;
        stretchEnd = end;
        cut = this.#package.firstChunk(offset, end, this.#sizes);
      }
      if (cut < stretchEnd) return this.#cutAt(cut);
      // A cut at the end of what was given may be the hash's or just the end: it is not known yet.
      this.#scannedBytes = stretchEnd - 1;
    }
    return isFinal ? this.#cutAt(end) : 0;
  }

  reset(): void {
    this.#scannedBytes = this.minBytes;
  }

  /** The cut behind what has been scanned, at most `end`; 0 when it cannot be had from there. */
  #resume(offset: number, end: number): number {
    const from = Math.max(this.minBytes, this.#scannedBytes - WARM_UP_BYTES);
    if (from !== this.minBytes && !this.#doHashesMeet(offset + from)) return 0;
    const skipped = from - this.minBytes;
    const cut = skipped + this.#package.firstChunk(offset + skipped, end - skipped, this.#sizes);
    // A cut where there is none in truth: the hash had not warmed up.
    return cut <= this.#scannedBytes && cut < end ? 0 : cut;
  }

  #doHashesMeet(start: number): boolean {
    let low = 0;
    let high = -1;
    for (const byte of this.arena.bytes.subarray(start, start + WARM_UP_BYTES)) {
      low = gearStep(low, byte);
      high = gearStep(high, byte);
    }
    return low === high;
  }

  #cutAt(length: number): number {
    this.reset();
    return length;
  }
}
