import { readFileSync } from 'node:fs';
import t from 'tap';
import { webAssembly } from '#engine/base/web-assembly.ts';
import { compileWasm, WASM_SOURCES } from '#engine/build-wasm.ts';

const EXPORTS: Readonly<Record<string, string>> = { scan: 'scanBuzhash', scrypt: 'blend' };

for (const [name, source] of Object.entries(WASM_SOURCES)) {
  const committed = readFileSync(source.target);

  t.test(`${name}.wasm is what its source compiles to (npm run build:wasm)`, async t => {
    t.equal(Buffer.compare(await compileWasm(source), committed), 0);
  });

  t.test(`${name}.wasm stays below 10 KB and asks for nothing but a memory`, async t => {
    t.ok(committed.length < 10_000);
    const api = webAssembly();
    if (api === undefined) throw new Error('WebAssembly is not to be had here');
    const module = new api.Module(committed);
    t.throws(() => new api.Instance(module, { env: {} }), /memory/);
    const memory = new api.Memory({ initial: 1, maximum: 1 });
    t.ok(new api.Instance(module, { env: { memory } }).exports[EXPORTS[name]]);
  });
}
