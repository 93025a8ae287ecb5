// The only file that knows the package fastcdc-wasm. Its own entry point copies the bytes into its
// memory and back for each call, and shares one memory that grows. Here each instance has a memory
// of its own, enlarged once by us for the arena, so that bytes are read from a file into it and cut
// where they lie.

import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { arenaOver, type Arena } from '#engine/base/arena.ts';

import {
  PAGE_BYTES,
  webAssembly,
  type WasmMemory,
  type WasmModule,
} from '#engine/base/web-assembly.ts';

/** What wasm-bindgen 0.2 exports for `get_chunks(bytes, min, average, max) -> Vec<u32>`. */
interface PackageExports {
  readonly memory: WasmMemory;
  get_chunks(
    result: number,
    bytes: number,
    length: number,
    minBytes: number,
    averageBytes: number,
    maxBytes: number,
  ): void;
  __wbindgen_add_to_stack_pointer(delta: number): number;
  __wbindgen_free(address: number, length: number): void;
}

/** The greatest maximum that the package takes: it never cuts for length, its caller does. */
const MAX_BYTES = 2 ** 30;

let compiled: WasmModule | null | undefined;

function compile(): WasmModule | null {
  const api = webAssembly();
  if (api === undefined) return null;
  const path = createRequire(import.meta.url).resolve('fastcdc-wasm/fastcdc_wasm_bg.wasm');
  return new api.Module(readFileSync(path));
}

export class FastCdcPackage {
  readonly arena: Arena;
  readonly #exports: PackageExports;
  readonly #buffer: ArrayBuffer;
  /** Where the arena begins in the module's memory. */
  readonly #base: number;
  /** Address of two words for the result of a call. */
  readonly #result: number;

  /** Undefined where WebAssembly cannot be had. */
  static open(bytes: number): FastCdcPackage | undefined {
    compiled ??= compile();
    const api = webAssembly();
    if (api === undefined || compiled === null) return undefined;
    try {
      const instance = new api.Instance(compiled, {});
      // The package is pinned; these are the exports of its version 0.1.0.
      return new FastCdcPackage(instance.exports as unknown as PackageExports, bytes);
    } catch (error) {
      // No address space for one more memory: the portable form serves.
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  private constructor(exports: PackageExports, bytes: number) {
    this.#exports = exports;
    this.#result = exports.__wbindgen_add_to_stack_pointer(-16);
    // Its allocator takes pages from the memory on first use. It must have them before the arena
    // takes those behind; from then on results of a few words fit what it has.
    exports.get_chunks(this.#result, 0, 4096, 64, 256, 1024);
    this.#takeResult(exports.memory.buffer);
    this.#base = exports.memory.grow(Math.ceil(bytes / PAGE_BYTES)) * PAGE_BYTES;
    this.#buffer = exports.memory.buffer;
    this.arena = arenaOver(new Uint8Array(this.#buffer, this.#base, bytes));
  }

  /**
   * The length of the first chunk of the `length` bytes at arena.bytes[offset]; what ends it is the
   * hash, or the end of the bytes.
   */
  firstChunk(offset: number, length: number, sizes: { min: number; average: number }): number {
    const address = this.#base + offset;
    const { min, average } = sizes;
    this.#exports.get_chunks(this.#result, address, length, min, average, MAX_BYTES);
    const { buffer } = this.#exports.memory;
    assert(buffer === this.#buffer, 'the memory of fastcdc-wasm has not grown');
    return this.#takeResult(buffer);
  }

  /** Gives the vector of positions back to the module; the first is 0, the second what we want. */
  #takeResult(buffer: ArrayBuffer): number {
    const [address, count] = new Uint32Array(buffer, this.#result, 2);
    const [, second] = new Uint32Array(buffer, address, count);
    this.#exports.__wbindgen_free(address, count * 4);
    return second;
  }
}
