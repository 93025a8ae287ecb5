import t from 'tap';
import { licenceDocument, licenceFaults } from '#release/licences.ts';
import { ARCHITECTURES, shippedPackages } from '#release/shipped-packages.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

const shipped = { version: '1.0.0', integrity: '' };

t.test('every licence of what ships is allowed', async t => {
  for (const architecture of Object.keys(ARCHITECTURES)) {
    t.strictSame(licenceFaults(shippedPackages(REPOSITORY_ROOT, architecture)), []);
  }
});

t.test('a licence that is not on the list is named with its package', async t => {
  const faults = licenceFaults([
    { ...shipped, path: 'node_modules/a', name: 'a', licence: 'MIT' },
    { ...shipped, path: 'node_modules/b', name: 'b', licence: 'AGPL-3.0' },
    { ...shipped, path: 'node_modules/c', name: 'c', licence: '' },
  ]);
  t.equal(faults.length, 2);
  t.match(faults[0], 'b 1.0.0 has the licence "AGPL-3.0"');
});

t.test('packages with one text share it, and those without say so', async t => {
  const root = t.testdir({
    node_modules: {
      a: { LICENSE: 'the text' },
      b: { 'LICENSE.md': 'the text\n', 'licenses.js': 'no text' },
      c: { 'README.md': '' },
    },
  });
  const packages = ['a', 'b', 'c'].map(name => ({
    ...shipped,
    path: `node_modules/${name}`,
    name,
    licence: 'MIT',
  }));
  const sections = licenceDocument(packages, root).split(/\n-{80}\n/);
  t.equal(sections.length, 3);
  t.equal(sections[1], '\na 1.0.0 (MIT)\nb 1.0.0 (MIT)\n\nthe text\n');
  t.equal(sections[2], '\nc 1.0.0 (MIT)\n\n(The package has no text. It says: MIT.)\n');
});
