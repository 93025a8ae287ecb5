// Block devices by the command.

import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { imageBytes, lacksLoopDevices, loopDevice } from '#test/support/loop-device.ts';
import { SeededRandom } from '#test/support/random.ts';
import { runWords } from './surface.ts';

const MiB = 1 << 20;
const place = fastDirectory(t);
const skip = lacksLoopDevices(place);
if (skip) t.comment(`skipped: ${skip}`);
const environment = { STEVEDORE_REPO: `file://${place}/repository`, STEVEDORE_PASSWORD: 'secret' };

function run(...words: string[]) {
  return runWords([...words, '--threads', '1'], {
    environment,
    loadEngine: () => import('#engine/index.ts'),
  });
}

t.test('a device goes to the repository and to another device', { skip }, async t => {
  mkdirSync(`${place}/repository`);
  const content = new Uint8Array(6 * MiB);
  content.set(new SeededRandom(1).bytes(MiB), 0);
  const device = loopDevice(t, { image: `${place}/source`, content });
  const target = loopDevice(t, { image: `${place}/target`, bytes: content.length });
  await run('repo', 'create');
  const looked = await run('backup', device.path, '--dry-run', '-o', 'json');
  t.match(JSON.parse(looked.stdout), { files: { new: { bytes: content.length } } });
  const stored = await run('backup', device.path, '-o', 'json');
  t.match(JSON.parse(stored.stdout), { files: 1, directories: 1, bytes: content.length });
  t.match(await run('restore', 'latest', target.path), { status: 0, stdout: /6 MiB/ });
  t.equal(Buffer.compare(imageBytes(target), content), 0);
  const refused = await run('restore', 'latest', target.path);
  t.match(refused, { status: 1, stderr: /is not blank.*TARGET_NOT_EMPTY/s });
  const again = await run('restore', 'latest', target.path, '--overwrite', 'always');
  t.equal(again.status, 0, again.stderr);
  t.match(await run('verify', '--read-percent', '100'), { status: 0 });
});

t.test('what is about files is not for a device', { skip }, async t => {
  const { path } = loopDevice(t, { image: `${place}/other`, bytes: MiB });
  writeFileSync(`${place}/file`, '');
  const refused: readonly string[][] = [
    ['--delta'],
    ['--dry-run'],
    ['--verify'],
    ['--sparse'],
    ['--include', '*'],
    ['--no-owners'],
    ['--overwrite', 'if-different'],
    ['latest', `${place}/elsewhere`],
  ];
  for (const more of refused) {
    const { status, stderr } = await run('restore', 'latest', path, ...more);
    t.equal(status, 2, `${more.join(' ')}: ${stderr}`);
  }
});
