// The Dockerfile, which nothing builds in the tests, against what the build of an image needs.
// image.slow.test.ts runs its steps with what .dockerignore lets through.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { IMAGE_PARTS, isInImage } from '#release/image-parts.ts';
import { nodeArchitecture } from '#release/shipped-packages.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

function read(path: string): string {
  return readFileSync(join(REPOSITORY_ROOT, path), 'utf8');
}

const dockerfile = read('Dockerfile');

t.test('the image is what release/build-image.ts lays out, and nothing else', async t => {
  const copied = dockerfile.split('\n').filter(line => line.startsWith('COPY --from='));
  t.strictSame(copied, ['COPY --from=build /image /']);
  t.match(dockerfile, 'node release/build-image.ts /image --arch "$TARGETARCH"');
});

t.test('what is built is let through to the daemon', async t => {
  const admitted = read('.dockerignore').split('\n');
  t.equal(admitted[0], '*', 'nothing else is');
  const tops = IMAGE_PARTS.map(part => part.split('/')[0]).filter(top => top !== 'dist');
  // esbuild reads from tsconfig.json that scripts are strict.
  const settings = ['package-lock.json', 'tsconfig.json'];
  const needed = [...tops, ...settings, 'controller', 'proto', 'release'];
  for (const name of needed) t.ok(admitted.includes(`!${name}`), name);
});

t.test('its labels say the version of package.json, and no address', async t => {
  const { version, license } = JSON.parse(read('package.json')) as Record<string, string>;
  t.match(dockerfile, `org.opencontainers.image.version="${version}"`);
  t.match(dockerfile, `org.opencontainers.image.licenses="${license}"`);
  t.notMatch(dockerfile, /org\.opencontainers\.image\.(url|source|documentation)/);
});

t.test('architectures are known by both of their names', async t => {
  t.equal(nodeArchitecture('amd64'), 'x64');
  t.equal(nodeArchitecture('x64'), 'x64');
  t.equal(nodeArchitecture('arm64'), 'arm64');
  t.throws(() => nodeArchitecture('s390x'), { message: 'there is no image for s390x; try: x64' });
});

t.test('of the build, what differs each time stays out', async t => {
  t.notOk(isInImage('dist/main.inputs.json', { isCompiled: true }));
  t.notOk(isInImage('dist/main.4a79a89.compiled', { isCompiled: false }));
  t.ok(isInImage('dist/main.4a79a89.compiled', { isCompiled: true }));
  t.ok(isInImage('dist/main.script', { isCompiled: false }));
});
