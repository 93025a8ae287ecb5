// A directory of 200,000 entries and a tree of 2,000 levels, there and back.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { backup, restore } from '#engine/index.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { faultsOf, makeSmallRepository, openSmall, OWNER } from '#test/faults/small-repository.ts';

const ENTRIES = 200_000;
const LEVELS = 2000;

const small = await makeSmallRepository(t.testdir());

t.test(`a directory of ${ENTRIES} empty files comes back`, async t => {
  const path = `${fastDirectory(t)}/source`;
  mkdirSync(path);
  for (let index = 0; index < ENTRIES; index++) writeFileSync(`${path}/file-${index}`, '');
  await using repository = await openSmall(small.storage, small.format, { threads: 2 });
  const outcome = await backup(repository, { path, source: { ...OWNER, path } });
  t.match(outcome, { files: ENTRIES, directories: 1, skipped: [] });
  const target = `${fastDirectory(t)}/restored`;
  const { differences } = await restore(repository, { snapshot: outcome.snapshotId, target });
  t.strictSame(differences, []);
  t.ok(
    readdirSync(target).sort().join() === readdirSync(path).sort().join(),
    'all names come back',
  );
  t.strictSame(await faultsOf(repository), []);
});

t.test(`a tree of ${LEVELS} levels comes back`, async t => {
  const path = `${fastDirectory(t)}/source`;
  mkdirSync(path);
  // Relative to where it stands, since the whole path is too long for one call.
  const script = 'cd "$1"; for i in $(seq $2); do mkdir d; cd -P ./d; done; echo deep >file';
  spawnSync('sh', ['-c', script, 'sh', path, String(LEVELS)]);
  const target = `${fastDirectory(t)}/restored`;
  t.teardown(() => execFileSync('rm', ['-rf', path, target]));
  await using repository = await openSmall(small.storage, small.format, { threads: 2 });
  const outcome = await backup(repository, { path, source: { ...OWNER, path } });
  t.match(outcome, { files: 1, directories: LEVELS + 1, skipped: [] });
  const { differences } = await restore(repository, { snapshot: outcome.snapshotId, target });
  t.strictSame(differences, []);
  const count = execFileSync('sh', ['-c', 'cd "$1"; find . | wc -l', 'sh', target]);
  t.equal(Number(count), LEVELS + 2);
  t.strictSame(await faultsOf(repository), []);
});
