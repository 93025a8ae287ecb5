// Ignore files that cannot be used: who can write one file to a source must not end its backups.

import t, { type Test } from 'tap';
import { backup, explain, surveyBackup } from '#engine/operations.ts';
import { listTree } from '#engine/snapshot/stored-path.ts';
import { repositoryFor, request } from './backup-scene.ts';

const TOO_LONG = '#\n'.repeat(600_000);
const more = { ignoreFileNames: ['.gitignore'] };

function makeTree(t: Test): string {
  return t.testdir({
    kept: { file: 'kept' },
    long: { '.gitignore': TOO_LONG, file: 'x' },
    wrong: { '.kopiaignore': '[', deep: { file: 'x' }, file: 'x' },
  });
}

t.test('its directory is named and left out, as kopia does, and the rest is stored', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const outcome = await backup(repository, request(root, more));
  t.match(
    [...outcome.skipped].sort((a, b) => (a.path < b.path ? -1 : 1)),
    [
      {
        path: `${root}/long`,
        code: 'SOURCE_UNREADABLE',
        isDirectory: true,
        message: `cannot use ignore file ${root}/long/.gitignore: the file has more than 1048576 `,
      },
      {
        path: `${root}/wrong`,
        code: 'SOURCE_UNREADABLE',
        isDirectory: true,
        message: `cannot use ignore file ${root}/wrong/.kopiaignore: cannot parse`,
      },
    ],
  );
  t.equal(outcome.failedCount, 2);
  const entries = listTree(repository, outcome.snapshotId, { isRecursive: true });
  const paths = (await Array.fromAsync(entries)).map(({ path }) => path);
  t.strictSame(paths, ['kept', 'kept/file']);
});

t.test('where nothing may be missing, there is no snapshot', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const attempt = backup(repository, request(root, { ...more, onError: 'fail' }));
  await t.rejects(attempt, { code: 'SOURCE_INCOMPLETE', message: 'cannot use ignore file' });
});

t.test('nor when it is in the source itself', async t => {
  const root = t.testdir({ '.kopiaignore': '[' });
  const repository = await repositoryFor(t);
  await t.rejects(backup(repository, request(root)), { code: 'SOURCE_UNREADABLE' });
});

t.test('a dry run counts them as unreadable', async t => {
  const root = makeTree(t);
  const survey = await surveyBackup(await repositoryFor(t), request(root, more));
  t.match(survey, { unreadableCount: 2, files: { new: { files: 1 } } });
  const paths = survey.unreadable.map(({ path }) => path).sort();
  t.strictSame(paths, [`${root}/long`, `${root}/wrong`]);
});

t.test('an explanation names them', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  for (const [path, file] of [
    ['wrong', 'wrong/.kopiaignore'],
    ['wrong/deep/file', 'wrong/.kopiaignore'],
    ['long/file', 'long/.gitignore'],
  ]) {
    const asked = { ...request(root, more), about: `${root}/${path}` };
    t.match(await explain(repository, asked), {
      isIncluded: false,
      decidedAt: `${root}/${path.split('/')[0]}`,
      decision: { reason: 'unreadable', message: `cannot use ignore file ${root}/${file}` },
    });
  }
});

t.test('everything in a volume is stored, such files as well', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const outcome = await backup(repository, request(root, { storesIgnoredFiles: true }));
  t.match(outcome, { files: 6, failedCount: 0, skipped: [] });
});
