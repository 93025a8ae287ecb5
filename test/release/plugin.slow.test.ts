// The archives for krew, built: their sums are those of the manifest, and what is in one runs where
// krew has put it.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseYaml } from '#engine/base/yaml.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

interface Manifest {
  readonly spec: { readonly platforms: readonly { uri: string; sha256: string; bin: string }[] };
}

function run(program: string, ...words: string[]): string {
  return execFileSync(program, words, { encoding: 'utf8', maxBuffer: 64 << 20 });
}

t.test('the archives are those of the manifest, and the program in one runs', async t => {
  const place = t.testdir({ extracted: {}, bin: {} });
  const built = join(place, 'built');
  const script = join(REPOSITORY_ROOT, 'release/build-plugin.ts');
  const address = 'https://example.org/stevedore';
  run(process.execPath, script, built, '--homepage', address, '--downloads', address);
  const text = readFileSync(join(built, 'stevedore.yaml'), 'utf8');
  const { spec } = parseYaml(text, 'manifest') as Manifest; // As the other test has it.
  t.equal(spec.platforms.length, 2);
  for (const { uri, sha256 } of spec.platforms) {
    const archive = readFileSync(join(built, uri.slice(address.length + 1)));
    t.equal(createHash('sha256').update(archive).digest('hex'), sha256, uri);
  }
  const own = spec.platforms.find(({ uri }) =>
    uri.includes(process.arch === 'arm64' ? 'arm64' : 'amd64'),
  );
  const archive = join(built, own?.uri.slice(address.length + 1) ?? '');
  const kinds = run('tar', '-tvzf', archive).trimEnd().split('\n');
  // krew internal/download/downloader.go refuses what is neither.
  t.ok(
    kinds.every(line => /^[-d]/.test(line)),
    'files and directories alone',
  );
  run('tar', '-xzf', archive, '-C', join(place, 'extracted'));
  const link = join(place, 'bin', 'kubectl-stevedore');
  symlinkSync(join(place, 'extracted', own?.bin ?? ''), link);
  t.match(run(process.execPath, link, '--version'), /^kubectl stevedore \d/);
  t.match(run(process.execPath, link, 'help', 'status'), /Usage: kubectl stevedore status/);
});
