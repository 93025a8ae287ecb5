// scrypt (RFC 7914) with r = 8 and p = 1 in half of its memory: wasm/scrypt.wasm does the
// mixing. It runs in the thread that asks for it, in slices of a few milliseconds, between which
// others get their turn; a thread of its own would take more memory than the table.

import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { arenaOver, type Arena } from '#engine/base/arena.ts';
import { equalBytes } from '#engine/base/bytes.ts';
import { releasePages } from '#engine/base/release-pages.ts';
import { PAGE_BYTES, webAssembly, type WasmModule } from '#engine/base/web-assembly.ts';

/** As in wasm/assembly/scrypt.ts. */
const TABLE = 4096;
const KEPT_ONE_IN = 2;
const BLOCK_BYTES = 1024;

/** Two to five milliseconds each. */
const KEPT_PER_SLICE = 1024;
const PAIRS_PER_SLICE = 512;

interface Mixer {
  /** The whole memory of the module. */
  readonly arena: Arena;
  readonly fill: (start: number, end: number) => void;
  readonly blend: (pairs: number, blocks: number) => void;
}

let compiled: WasmModule | null | undefined;

/**
 * The key that scrypt gives with N = `blocks`, a power of two from 4 on. Takes `blocks` times 512
 * bytes, which are zeroed and given back before it returns.
 * @returns undefined where WebAssembly with SIMD, or the memory, cannot be had
 */
export async function scryptInSlices(
  password: string,
  salt: Uint8Array,
  { blocks, keyBytes }: { readonly blocks: number; readonly keyBytes: number },
): Promise<Uint8Array | undefined> {
  compiled ??= await compileAndTest();
  const mixer = compiled === null ? undefined : openMixer(compiled, blocks);
  return mixer && (await deriveWith(mixer, password, salt, { blocks, keyBytes }));
}

async function compileAndTest(): Promise<WasmModule | null> {
  const api = webAssembly();
  const code = readFileSync(new URL('./wasm/scrypt.wasm', import.meta.url));
  if (api === undefined || !api.validate(code)) return null;
  const candidate = new api.Module(code);
  const size = { blocks: 16, keyBytes: 32 };
  const salt = new Uint8Array(32).fill(7);
  const mixer = openMixer(candidate, size.blocks);
  const key = mixer && (await deriveWith(mixer, 'self-test', salt, size));
  const expected = scryptSync('self-test', salt, size.keyBytes, { N: size.blocks, r: 8, p: 1 });
  return key && equalBytes(key, expected) ? candidate : null;
}

function openMixer(module: WasmModule, blocks: number): Mixer | undefined {
  const api = webAssembly();
  if (api === undefined) return undefined;
  const bytes = TABLE + (blocks / KEPT_ONE_IN + 1) * BLOCK_BYTES;
  const pages = Math.ceil(bytes / PAGE_BYTES);
  try {
    const memory = new api.Memory({ initial: pages, maximum: pages });
    const { exports } = new api.Instance(module, { env: { memory } });
    return {
      arena: arenaOver(new Uint8Array(memory.buffer)),
      // What the module exports under these names has these types: see wasm/assembly/scrypt.ts.
      fill: exports.fill as Mixer['fill'],
      blend: exports.blend as Mixer['blend'],
    };
  } catch (error) {
    // V8 reserves gigabytes of addresses for a memory; under a limit on those there are none.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

async function deriveWith(
  { arena, fill, blend }: Mixer,
  password: string,
  salt: Uint8Array,
  { blocks, keyBytes }: { readonly blocks: number; readonly keyBytes: number },
): Promise<Uint8Array> {
  const kept = blocks / KEPT_ONE_IN;
  const words = new Uint32Array(arena.bytes.buffer);
  try {
    const block = pbkdf2Sync(password, salt, 1, BLOCK_BYTES, 'sha256');
    turnWords(wordsOf(block), words.subarray(TABLE / 4), 5);
    for (let start = 0; start < kept; start += KEPT_PER_SLICE) {
      fill(start, Math.min(kept, start + KEPT_PER_SLICE));
      await setImmediate();
    }
    for (let done = 0; done < blocks / 2; done += PAIRS_PER_SLICE) {
      blend(Math.min(PAIRS_PER_SLICE, blocks / 2 - done), blocks);
      await setImmediate();
    }
    const mixed = new Uint32Array(BLOCK_BYTES / 4);
    turnWords(words.subarray(TABLE / 4 + (kept * BLOCK_BYTES) / 4), mixed, 13);
    return new Uint8Array(
      pbkdf2Sync(password, new Uint8Array(mixed.buffer), 1, keyBytes, 'sha256'),
    );
  } finally {
    releasePages(arena);
  }
}

/** To the order of words in the kernel with 5, and back with 13, since 5 x 13 = 65 = 1 mod 16. */
function turnWords(from: Uint32Array, to: Uint32Array, factor: 5 | 13): void {
  for (let index = 0; index < BLOCK_BYTES / 4; index++) {
    to[index] = from[(index & ~15) + ((index * factor) & 15)];
  }
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.slice().buffer);
}
