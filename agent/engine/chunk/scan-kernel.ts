// Loads wasm/scan.wasm: the rolling hashes of kopia's dynamic splitters in WebAssembly with SIMD,
// over a memory that is the caller's arena as well, so that bytes are read from a file, scanned and
// sealed in one place. The module holds no data; its tables are written here.

import { readFileSync } from 'node:fs';

import { arenaOver, type Arena } from '#engine/base/arena.ts';

import { BUZHASH_TABLE, scanBuzhash } from './buzhash.ts';
import { rabinTables, scanRabinKarp } from './rabin-karp.ts';
import { fillWithNoise } from './self-test.ts';
import {
  PAGE_BYTES,
  webAssembly,
  type WasmMemory,
  type WasmModule,
  type WebAssemblyApi,
} from '#engine/base/web-assembly.ts';

/** As in wasm/assembly/scan.ts. */
const ROTATED = 0x400;
const RABIN_LEAVING = 0x8000;
const RABIN_REDUCED = 0x8800;

/** The first page is the module's, the arena begins behind it. */
const ARENA_OFFSET = PAGE_BYTES;

const SELF_TEST_BYTES = 24 * 1024;
/** One position in 2,048: some five cuts on either side of the blocks' borders. */
const SELF_TEST_MASK = 0x7ff;

type ScanFunction = (start: number, end: number, mask: number) => number;

export interface ScanKernel {
  readonly arena: Arena;
  /** As the functions of the same name in buzhash.ts and rabin-karp.ts, on arena.bytes. */
  readonly scanBuzhash: ScanFunction;
  readonly scanRabinKarp: ScanFunction;
}

interface Compiled {
  readonly api: WebAssemblyApi;
  readonly module: WasmModule;
}

let compiled: Compiled | null | undefined;

/** A kernel whose arena has `bytes` bytes; undefined where WebAssembly with SIMD cannot be had. */
export function openScanKernel(bytes: number): ScanKernel | undefined {
  compiled ??= compileAndTest();
  return compiled === null ? undefined : instantiate(compiled, bytes);
}

function compileAndTest(): Compiled | null {
  const api = webAssembly();
  const code = readFileSync(new URL('./wasm/scan.wasm', import.meta.url));
  if (api === undefined || !api.validate(code)) return null;
  const candidate = { api, module: new api.Module(code) };
  const kernel = instantiate(candidate, SELF_TEST_BYTES);
  return kernel !== undefined && isKernelRight(kernel) ? candidate : null;
}

function instantiate({ api, module }: Compiled, bytes: number): ScanKernel | undefined {
  const pages = (ARENA_OFFSET + bytes + PAGE_BYTES - 1) / PAGE_BYTES;
  const memory = reserve(api, Math.floor(pages));
  if (memory === undefined) return undefined;
  writeTables(memory.buffer);
  const { exports } = new api.Instance(module, { env: { memory } });
  return {
    arena: arenaOver(new Uint8Array(memory.buffer, ARENA_OFFSET, bytes)),
    scanBuzhash: inArena(exports.scanBuzhash),
    scanRabinKarp: inArena(exports.scanRabinKarp),
  };
}

function reserve(api: WebAssemblyApi, pages: number): WasmMemory | undefined {
  try {
    // The maximum is what keeps the memory from growing, which would detach every view of it.
    return new api.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    // V8 reserves gigabytes of addresses for a memory; under a limit on those there are none, and
    // the portable form serves.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function writeTables(memory: ArrayBuffer): void {
  for (let turns = 0; turns <= 8; turns++) {
    const table = new Uint32Array(memory, ROTATED + 1024 * turns, 256);
    table.set(BUZHASH_TABLE.map(word => (word >>> turns) | (word << (32 - turns))));
  }
  const { leaving, reduced } = rabinTables();
  new BigUint64Array(memory, RABIN_LEAVING, 256).set(leaving);
  new BigUint64Array(memory, RABIN_REDUCED, 256).set(reduced);
}

function inArena(exported: unknown): ScanFunction {
  // What the module exports under these names has this type: see wasm/assembly/scan.ts.
  const scan = exported as ScanFunction;
  return (start, end, mask) => {
    const cut = scan(start + ARENA_OFFSET, end + ARENA_OFFSET, mask);
    return cut === 0 ? 0 : cut - ARENA_OFFSET;
  };
}

function isKernelRight(kernel: ScanKernel): boolean {
  const { bytes } = kernel.arena;
  fillWithNoise(bytes);
  return (
    findSameCuts(kernel.scanBuzhash, (...range) => scanBuzhash(bytes, ...range)) &&
    findSameCuts(kernel.scanRabinKarp, (...range) => scanRabinKarp(bytes, ...range))
  );
}

function findSameCuts(scan: ScanFunction, reference: ScanFunction): boolean {
  let position = 64;
  do {
    const cut = scan(position, SELF_TEST_BYTES, SELF_TEST_MASK);
    if (cut !== reference(position, SELF_TEST_BYTES, SELF_TEST_MASK)) return false;
    position = cut;
  } while (position !== 0);
  return true;
}
