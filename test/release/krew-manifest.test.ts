// The manifest for krew-index, by the rules by which krew accepts one (krew
// internal/index/validation/validate.go).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseYaml } from '#engine/base/yaml.ts';
import { archiveName, fillKrewManifest } from '#release/krew-manifest.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

const TEMPLATE = readFileSync(join(REPOSITORY_ROOT, 'docs/krew/stevedore.yaml.template'), 'utf8');
const RELEASE = {
  version: '1.2.3',
  homepage: 'https://example.org/stevedore',
  downloads: 'https://example.org/stevedore/1.2.3/',
  sums: { amd64: 'a'.repeat(64), arm64: 'b'.repeat(64) },
};

t.test('all of it is filled in, and krew would take it', async t => {
  const text = fillKrewManifest(TEMPLATE, RELEASE);
  t.notMatch(text, /[{][{]|^#/m);
  const place = 'https://example.org/stevedore/1.2.3';
  t.match(parseYaml(text, 'manifest'), {
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: /^[\w-]+$/ },
    spec: {
      version: 'v1.2.3',
      homepage: RELEASE.homepage,
      shortDescription: /^.{1,50}$/,
      description: /./,
      caveats: /Node 24/,
      platforms: [
        {
          selector: { matchLabels: { os: 'linux', arch: 'amd64' } },
          uri: `${place}/${archiveName('1.2.3', 'amd64')}`,
          sha256: 'a'.repeat(64),
          bin: 'kubectl-stevedore',
        },
        {
          selector: { matchLabels: { os: 'linux', arch: 'arm64' } },
          uri: `${place}/${archiveName('1.2.3', 'arm64')}`,
          sha256: 'b'.repeat(64),
          bin: 'kubectl-stevedore',
        },
      ],
    },
  });
});

t.test('what cannot be filled in, or krew would refuse, is named', async t => {
  const filled = (change: Partial<typeof RELEASE>, template = TEMPLATE) =>
    fillKrewManifest(template, { ...RELEASE, ...change });
  t.throws(() => filled({ version: 'v1' }), { message: 'v1 is no version' });
  t.throws(() => filled({ homepage: 'http://example.org' }), { message: /is no https/ });
  const sums = { ...RELEASE.sums, arm64: 'ABC' };
  t.throws(() => filled({ sums }), { message: 'ABC is no SHA-256 in hex' });
  t.throws(() => filled({}, `${TEMPLATE}{{ MORE }}`), { message: /\{\{ MORE \}\}, which is not/ });
  t.throws(() => filled({}, 'kind: Plugin'), { message: /has no \{\{ VERSION \}\}, / });
});
