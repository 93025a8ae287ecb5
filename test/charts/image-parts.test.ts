// The image of the Dockerfile, which nothing builds in the tests, against the root that
// test/velero runs in its place.

import { readFileSync } from 'node:fs';
import { basename, extname, join, normalize } from 'node:path';
import t from 'tap';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';
import { AGENT_PARTS } from '#test/velero/agent-root.ts';

/** As BuildKit reads it: a file goes beneath a target with a slash, of a directory the contents. */
function placeOf(source: string, target: string): string {
  const isFile = extname(source) !== '';
  return normalize(isFile && target.endsWith('/') ? join(target, basename(source)) : target);
}

t.test('what is copied into the image is what test/velero runs, at the same paths', async t => {
  const dockerfile = readFileSync(join(REPOSITORY_ROOT, 'Dockerfile'), 'utf8');
  const copied = [...dockerfile.matchAll(/^COPY --from=build \/build\/(\S+) (\S+)$/gm)];
  const lines = dockerfile.split('\n').filter(line => line.startsWith('COPY --from='));
  t.equal(copied.length, lines.length, 'each line is understood');
  for (const [, source = '', target = ''] of copied) t.equal(placeOf(source, target), source);
  const sources = copied.map(([, source = '']) => source);
  t.strictSame(sources.sort(), [...AGENT_PARTS, 'node_modules'].sort());
});
