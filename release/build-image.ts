// `npm run build:image -- DIRECTORY [--arch arm64] [--tar FILE] [--compiled]`: what the image
// has on top of its base, below DIRECTORY and, reproducibly packed, in FILE.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { commitTime } from './commit-time.ts';
import { PACKAGE_PLACE } from './image-parts.ts';
import { layOutImage } from './lay-out-image.ts';
import { packTar } from './pack-tar.ts';
import { nodeArchitecture } from './shipped-packages.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    arch: { type: 'string', default: process.arch },
    tar: { type: 'string' },
    compiled: { type: 'boolean', default: false },
  },
});
const [target] = positionals;
if (target === undefined || positionals.length > 1) {
  console.error('usage: npm run build:image -- DIRECTORY [--arch arm64] [--tar FILE] [--compiled]');
  process.exit(2);
}
if (existsSync(join(target, PACKAGE_PLACE))) {
  console.error(`build:image: ${target} has an image already; name another directory`);
  process.exit(1);
}
const architecture = nodeArchitecture(values.arch);
if (values.compiled && architecture !== process.arch) {
  console.error(`build:image: V8 compiles for ${process.arch} here, not for ${architecture}`);
  process.exit(1);
}
execFileSync(process.execPath, [join(root, 'agent/build.js')], { stdio: 'inherit' });
const epoch = commitTime(root);
const nodeVersion = process.versions.node;
const isCompiled = values.compiled;
layOutImage({ root, target, architecture, epoch, nodeVersion, isCompiled });
if (values.tar !== undefined) packTar(target, values.tar, epoch);
