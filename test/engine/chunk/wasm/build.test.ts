import { readFileSync } from 'node:fs';
import t from 'tap';
import { webAssembly } from '#engine/chunk/web-assembly.ts';
import { compileScan } from '#engine/chunk/wasm/build.ts';

const committed = readFileSync(
  new URL('../../../../agent/engine/chunk/wasm/scan.wasm', import.meta.url),
);

t.test('the committed module is what the source compiles to (npm run build:wasm)', async t => {
  t.equal(Buffer.compare(await compileScan(), committed), 0);
});

t.test('the committed module stays below 10 KB and asks for nothing but a memory', async t => {
  t.ok(committed.length < 10_000);
  const api = webAssembly();
  if (api === undefined) throw new Error('WebAssembly is not to be had here');
  const module = new api.Module(committed);
  t.throws(() => new api.Instance(module, { env: {} }), /memory/);
  const memory = new api.Memory({ initial: 1, maximum: 1 });
  t.ok(new api.Instance(module, { env: { memory } }).exports.scanBuzhash);
});
