// Compiles AssemblyScript to the WebAssembly modules beside it (npm run build:wasm). The results
// are committed, so that nobody who runs the program needs the compiler; a test proves that they
// are what the sources give.

import { readFileSync, writeFileSync } from 'node:fs';

import asc from 'assemblyscript/asc';

export interface WasmSource {
  readonly source: URL;
  readonly target: URL;
}

function below(folder: string, name: string): WasmSource {
  return {
    source: new URL(`./${folder}/wasm/assembly/${name}.ts`, import.meta.url),
    target: new URL(`./${folder}/wasm/${name}.wasm`, import.meta.url),
  };
}

export const WASM_SOURCES: Readonly<Record<string, WasmSource>> = Object.freeze({
  scan: below('chunk', 'scan'),
  scrypt: below('format', 'scrypt'),
});

// The memory is the caller's and never grows; there is no heap, so no runtime.
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory'];

/**
 * The WebAssembly module that a source gives.
 * @throws Error with the compiler's diagnostics
 */
export async function compileWasm({ source }: WasmSource): Promise<Uint8Array> {
  const text = readFileSync(source, 'utf8');
  let compiled: Uint8Array | undefined;
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main(['source.ts', ...OPTIONS, '--outFile', 'target.wasm'], {
    stderr,
    readFile: name => (name === 'source.ts' ? text : null),
    writeFile: (name, contents) => {
      if (name === 'target.wasm' && typeof contents !== 'string') compiled = contents;
    },
  });
  if (error !== null || compiled === undefined) {
    throw new Error(`compiling ${source.href} failed: ${stderr.toString()}`, { cause: error });
  }
  return compiled;
}

if (import.meta.main) {
  for (const [name, source] of Object.entries(WASM_SOURCES)) {
    const compiled = await compileWasm(source);
    writeFileSync(source.target, compiled);
    console.log(`${name}.wasm: ${compiled.length} bytes`);
  }
}
