// The agent of this repository as the root of an image: what the Dockerfile puts into its image, on
// top of Node of this machine and the libraries that it is linked with.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { COMMAND_PLACE } from '#release/image-parts.ts';
import { packRoot } from '#test/cluster/image.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

const run = promisify(execFile);
const BUILD_MS_MAX = 300_000;

export const AGENT_COMMAND = ['/bin/node', `/${COMMAND_PLACE}`];

/** Looks for `node`, as the first line of the program says; it needs libc alone. */
const ENV = '/usr/bin/env';

/** Path of the directory. */
export async function packAgent(): Promise<string> {
  const files: Record<string, string> = { 'bin/node': process.execPath, 'usr/bin/env': ENV };
  for (const library of await librariesOf(process.execPath)) files[library] = library;
  const root = await packRoot(files);
  const script = join(REPOSITORY_ROOT, 'release/build-image.ts');
  const { stderr } = await run(process.execPath, [script, root], { timeout: BUILD_MS_MAX });
  if (stderr !== '') console.error(stderr);
  return root;
}

/** `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)`, and the loader by itself. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]);
  return stdout.split('\n').flatMap(line => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
