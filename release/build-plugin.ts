// `npm run build:plugin -- DIRECTORY --homepage URL --downloads URL`: the archives
// that krew installs `kubectl stevedore` from, and the manifest for its index with their sums. In
// each is what the image has, and the program by the name by which kubectl finds it. krew takes no
// links out of an archive, so that program is a file of one line; and a build is used where npm has
// put it alone (current-build.js), so the package is below node_modules here, too.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { commitTime } from './commit-time.ts';
import { PACKAGE_PLACE } from './image-parts.ts';
import {
  archiveName,
  fillKrewManifest,
  PLUGIN_ARCHITECTURES,
  type PluginArchitecture,
} from './krew-manifest.ts';
import { layOutImage } from './lay-out-image.ts';
import { packTar } from './pack-tar.ts';
import { nodeArchitecture } from './shipped-packages.ts';

const USAGE = 'usage: npm run build:plugin -- DIRECTORY --homepage URL --downloads URL';
const PROGRAM = "#!/usr/bin/env node\nimport('./node_modules/stevedore/agent/stevedore.js');\n";
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The SHA-256 of the archive. */
function buildArchive(directory: string, version: string, architecture: PluginArchitecture) {
  const place = fs.mkdtempSync(join(tmpdir(), 'stevedore-plugin-'));
  try {
    const epoch = commitTime(root);
    layOutImage({
      ...{ root, epoch, target: place, architecture: nodeArchitecture(architecture) },
      ...{ nodeVersion: process.versions.node, isCompiled: false },
    });
    const plugin = dirname(dirname(join(place, PACKAGE_PLACE)));
    fs.writeFileSync(join(plugin, 'kubectl-stevedore'), PROGRAM, { mode: 0o755 });
    fs.copyFileSync(join(root, 'LICENSE'), join(plugin, 'LICENSE'));
    const tar = join(place, 'plugin.tar');
    packTar(plugin, tar, epoch);
    const archive = gzipSync(fs.readFileSync(tar), { level: 9 });
    fs.writeFileSync(join(directory, archiveName(version, architecture)), archive, { flag: 'wx' });
    return createHash('sha256').update(archive).digest('hex');
  } finally {
    fs.rmSync(place, { recursive: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { homepage: { type: 'string' }, downloads: { type: 'string' } },
});
const { homepage, downloads } = values;
const [directory] = positionals;
if (directory === undefined || positionals.length > 1 || !homepage || !downloads) {
  console.error(USAGE);
  process.exit(2);
}
try {
  const read = (path: string) => fs.readFileSync(join(root, path), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { readonly version: string };
  const template = read('docs/krew/stevedore.yaml.template');
  const fill = (sums: Record<PluginArchitecture, string>) =>
    fillKrewManifest(template, { version, homepage, downloads, sums });
  // What is wrong with the words is said before anything is built.
  fill({ amd64: '0'.repeat(64), arm64: '0'.repeat(64) });
  fs.mkdirSync(directory, { recursive: true });
  execFileSync(process.execPath, [join(root, 'agent/build.js'), '--if-changed']);
  const sums = { amd64: '', arm64: '' };
  for (const architecture of PLUGIN_ARCHITECTURES) {
    sums[architecture] = buildArchive(directory, version, architecture);
    console.log(`${sums[architecture]}  ${archiveName(version, architecture)}`);
  }
  fs.writeFileSync(join(directory, 'stevedore.yaml'), fill(sums), { flag: 'wx' });
  console.log(`${join(directory, 'stevedore.yaml')} is for krew-index`);
} catch (error) {
  console.error(`build:plugin: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
