import t from 'tap';
import { importsOf } from './import-list.ts';
import { AREAS, areaOf, faultOfImport, PACKAGE_OWNERS } from './rank-table.ts';
import { rankFaults } from './ranks.ts';
import { readSourceFiles } from './source-files.ts';

const fine: readonly (readonly [string, string])[] = [
  ['agent/engine/hash/a.ts', '#engine/base/bytes.ts'],
  ['agent/engine/hash/a.ts', './b.ts'],
  ['agent/engine/chunk/wasm/a.ts', '#engine/chunk/splitter.ts'],
  ['agent/engine/chunk/a.ts', './wasm/b.ts'],
  ['agent/engine/workers/a.ts', '#engine/index/table.ts'],
  ['agent/engine/content/a.ts', '#engine/storage/storage.ts'],
  ['agent/engine/content/a.ts', '#engine/cache/ledger.ts'],
  ['agent/engine/snapshot/a.ts', '#engine/manifest/manifest.ts'],
  ['agent/engine/index.ts', '#engine/snapshot/backup.ts'],
  ['agent/engine/index.ts', './open.ts'],
  ['agent/engine/cli/main.ts', '#engine/index.ts'],
  ['agent/stevedore.js', './engine/cli/main.ts'],
  ['agent/kube/informer.ts', '#engine/base/clock.ts'],
  ['agent/moves/machine.ts', '#kube/informer.ts'],
  ['agent/coordinator/link.ts', '#proto/client.ts'],
  ['controller/main.ts', '#proto/server.ts'],
  ['controller/main.ts', '#agent/log.ts'],
  ['agent/main.ts', './log.ts'],
  ['agent/engine/base/native.ts', 'koffi'],
  ['agent/engine/hash/a.ts', 'node:crypto'],
  ['test/engine/hash/a.test.ts', '#engine/hash/a.ts'],
  ['test/engine/hash/a.test.ts', 'tap'],
  ['test/engine/hash/a.test.ts', '#test/support/random.ts'],
  ['test/engine/chunk/a.test.ts', 'fastcdc-wasm'],
];

const wrong: readonly (readonly [string, string, RegExp])[] = [
  ['agent/engine/hash/a.ts', '#engine/cipher/b.ts', /hash may not import from cipher/],
  ['agent/engine/base/a.ts', '#engine/hash/b.ts', /base may not import/],
  ['agent/engine/storage/a.ts', '#engine/workers/b.ts', /storage may not import from workers/],
  ['agent/engine/object/a.ts', '#engine/manifest/b.ts', /object may not import from manifest/],
  ['agent/engine/content/a.ts', '#engine/snapshot/b.ts', /content may not import/],
  ['agent/engine/snapshot/a.ts', '#engine/index.ts', /snapshot may not import from engine/],
  ['agent/engine/index.ts', '#engine/cli/main.ts', /engine may not import from cli/],
  ['agent/engine/index.ts', './hash/a.ts', /through its #alias/],
  ['agent/engine/hash/a.ts', '../base/bytes.ts', /never upward/],
  ['agent/engine/hash/a.ts', './x/../../base/bytes.ts', /never upward/],
  ['test/engine/hash/a.test.ts', '../cipher/b.ts', /never upward/],
  ['agent/engine/hash/a.ts', '../../../test/support/random.ts', /never upward/],
  ['agent/kube/a.ts', '#engine/hash/b.ts', /kube may not import from hash/],
  ['agent/main.ts', '#proto/client.ts', /agent may not import from proto/],
  ['controller/main.ts', '#engine/index.ts', /controller may not import from engine/],
  ['controller/main.ts', '#agent/run-agent.ts', /controller may not import from agent/],
  ['agent/log.ts', './run-agent.ts', /service may not import from agent/],
  ['agent/engine/hash/a.ts', 'koffi', /only agent\/engine\/base\/native.ts imports koffi/],
  ['agent/engine/hash/a.ts', 'left-pad', /has no row in PACKAGE_OWNERS/],
  ['agent/engine/hash/a.ts', 'tap', /for tests alone/],
  ['agent/engine/hash/a.ts', '@noble/hashes/blake2.js', /only .* imports @noble\/hashes/],
  ['agent/engine/new/a.ts', '#engine/cli/a.ts', /engine may not import from cli/],
  ['agent/engine/hash/a.ts', '#nothing/a.ts', /no such alias/],
];

t.test('imports that the table allows have no fault', async t => {
  for (const [file, specifier] of fine) {
    t.equal(faultOfImport(file, specifier), undefined, `${file} imports ${specifier}`);
  }
});

t.test('imports that the table forbids are named with a reason', async t => {
  for (const [file, specifier, reason] of wrong) {
    t.match(faultOfImport(file, specifier), reason, `${file} imports ${specifier}`);
  }
});

t.test('every area that a row names exists', async t => {
  const names = AREAS.map(area => area.name);
  for (const area of AREAS) {
    for (const name of area.mayImport) t.ok(names.includes(name), `${area.name} names ${name}`);
  }
  t.equal(areaOf('test/engine/hash/a.test.ts'), undefined);
});

t.test('the scanner finds every form of import and no import in a comment', async t => {
  const text = [
    "import a from './a.ts';",
    "import type { B } from './b.ts';",
    "export * from './c.ts';",
    "const d = await import('./d.ts');",
    ['const e = create', "Require(import.meta.url)('e');"].join(''),
    "// import f from './f.ts';",
    'const g = "import h from \'./h.ts\'";',
  ].join('\n');
  const found = importsOf(text);
  t.strictSame(
    found.map(({ specifier }) => specifier),
    ['./a.ts', './b.ts', './c.ts', './d.ts', 'e'],
  );
  t.strictSame(
    found.map(({ line }) => line),
    [1, 2, 3, 4, 5],
  );
});

t.test('the tree keeps to the table', async t => {
  t.strictSame(rankFaults(readSourceFiles()), []);
  const paths = new Set(readSourceFiles().map(({ path }) => path));
  for (const [name, owner] of Object.entries(PACKAGE_OWNERS)) {
    t.ok(paths.has(owner), `${owner}, which imports ${name}, is there`);
  }
});
