// Compiles assembly/scan.ts to scan.wasm (npm run build:wasm). The result is committed, so that
// nobody who runs the program needs the compiler; a test proves that it is what the source gives.

import { readFileSync, writeFileSync } from 'node:fs';

import asc from 'assemblyscript/asc';

const SOURCE = new URL('./assembly/scan.ts', import.meta.url);
const TARGET = new URL('./scan.wasm', import.meta.url);

// The memory is the caller's and never grows; there is no heap, so no runtime.
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory'];

/**
 * The WebAssembly module that the source gives.
 * @throws Error with the compiler's diagnostics
 */
export async function compileScan(): Promise<Uint8Array> {
  const source = readFileSync(SOURCE, 'utf8');
  let compiled: Uint8Array | undefined;
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main(['scan.ts', ...OPTIONS, '--outFile', 'scan.wasm'], {
    stderr,
    readFile: name => (name === 'scan.ts' ? source : null),
    writeFile: (name, contents) => {
      if (name === 'scan.wasm' && typeof contents !== 'string') compiled = contents;
    },
  });
  if (error !== null || compiled === undefined) {
    throw new Error(`compiling scan.ts failed: ${stderr.toString()}`, { cause: error });
  }
  return compiled;
}

if (import.meta.main) {
  const compiled = await compileScan();
  writeFileSync(TARGET, compiled);
  console.log(`scan.wasm: ${compiled.length} bytes`);
}
