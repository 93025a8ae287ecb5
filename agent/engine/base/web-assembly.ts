// The part of the WebAssembly API that the engine uses; @types/node has no types for it, and the
// DOM's would let the engine use a browser's globals.

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  /** Returns the number of pages there were; detaches `buffer`. */
  grow(pages: number): number;
}

export type WasmModule = object;
export type WasmExports = Readonly<Record<string, unknown>>;

export interface WebAssemblyApi {
  validate(code: Uint8Array): boolean;
  readonly Module: new (code: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: WasmExports };
  readonly Memory: new (limits: { initial: number; maximum: number }) => WasmMemory;
}

/** Bytes in a page, the unit of a memory's size. */
export const PAGE_BYTES = 65536;

/** Undefined where the process runs without a compiler (--jitless). */
export function webAssembly(): WebAssemblyApi | undefined {
  // The global exists or not; its shape is the standard's.
  return (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;
}
