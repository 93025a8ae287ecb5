// The agent of this repository as the root of an image: Node and the libraries it is linked with,
// and what the Dockerfile puts into its image, at a place where the build is used as it is there.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packRoot } from '#test/cluster/image.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

const run = promisify(execFile);

/** Below node_modules: see agent/engine/base/current-build.js. */
const PLACE = 'node_modules/stevedore';
export const AGENT_PARTS = [
  'package.json',
  'agent/stevedore.js',
  'agent/engine/base/current-build.js',
  'dist',
] as const;
export const AGENT_COMMAND = ['/bin/node', `/${PLACE}/agent/stevedore.js`];

/** Path of the directory. */
export async function packAgent(): Promise<string> {
  await run(process.execPath, [join(REPOSITORY_ROOT, 'agent/build.js')]);
  const files: Record<string, string> = { 'bin/node': process.execPath };
  for (const library of await librariesOf(process.execPath)) files[library] = library;
  for (const part of [...AGENT_PARTS, ...(await shippedPackages())]) {
    files[join(PLACE, part)] = join(REPOSITORY_ROOT, part);
  }
  return packRoot(files);
}

/** `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)`, and the loader by itself. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]);
  return stdout.split('\n').flatMap(line => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

/**
 * Directories, as package-lock.json has them, without those of other systems and without those that
 * lie in another of them.
 */
async function shippedPackages(): Promise<string[]> {
  const text = await readFile(join(REPOSITORY_ROOT, 'package-lock.json'), 'utf8');
  // docs.npmjs.com, package-lock.json: `packages`, by path.
  const { packages } = JSON.parse(text) as { packages: Record<string, { dev?: boolean }> };
  const paths = Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path]) => path);
  return paths.filter(
    path =>
      existsSync(join(REPOSITORY_ROOT, path)) && !paths.some(other => path.startsWith(`${other}/`)),
  );
}
