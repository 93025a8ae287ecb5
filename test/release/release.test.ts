import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { foldChangelog } from '#release/fold-changelog.ts';
import { VERSION_PLACES, withVersion } from '#release/version-places.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

const release = { version: '1.2.3', date: '2023-11-14' };
const UNRELEASED = join(REPOSITORY_ROOT, 'changelog/unreleased');

t.test('changes are gathered by kind and in the order of issues', async t => {
  const entries = [
    { name: '10-b.md', text: 'Fixed: ten\n\nIt was. See [a](../../docs/a.md).\n' },
    { name: '9-a.md', text: 'Fixed: nine\n\nIt is.\n' },
    { name: '9-c.md', text: 'Added: new\n\nIt can.\n' },
  ];
  t.equal(
    foldChangelog(entries, release),
    '# 1.2.3, 2023-11-14\n\n## Added\n\n### new (issue 9)\n\nIt can.\n\n## Fixed\n\n' +
      '### nine (issue 9)\n\nIt is.\n\n### ten (issue 10)\n\nIt was. See [a](../docs/a.md).\n',
  );
});

t.test('an entry that says no kind, and one that names no issue, are named', async t => {
  const folded = (name: string, text: string) => () => foldChangelog([{ name, text }], release);
  t.throws(folded('9-a.md', 'Better: it\n'), { message: '9-a.md does not begin with its kind' });
  t.throws(folded('a.md', 'Fixed: it\n'), { message: 'a.md is not named' });
});

t.test('everything that is not released yet can be gathered', async t => {
  const entries = readdirSync(UNRELEASED).map(name => ({
    name,
    text: readFileSync(join(UNRELEASED, name), 'utf8'),
  }));
  const page = foldChangelog(entries, release);
  for (const [, target = ''] of page.matchAll(/\]\(([^):#]+)[^)]*\)/g)) {
    t.ok(existsSync(join(REPOSITORY_ROOT, 'changelog', target)), target);
  }
});

t.test('a version is a version, and has to be where it is looked for', async t => {
  const [place] = VERSION_PLACES;
  if (place === undefined) return;
  t.throws(() => withVersion(place, '', 'v1'), { message: 'v1 is no version' });
  t.throws(() => withVersion(place, '{}', '1.2.3'), { message: 'package.json has 0 versions' });
});

function run(place: string, ...words: string[]): string {
  return execFileSync(words[0] ?? '', words.slice(1), { cwd: place, encoding: 'utf8' });
}

/** A repository with what a release changes, committed. */
function copyOfRepository(t: Test): string {
  const place = t.testdir({});
  for (const path of [...VERSION_PLACES.map(({ path }) => path), 'changelog']) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    cpSync(join(REPOSITORY_ROOT, path), join(place, path), { recursive: true });
  }
  run(place, 'git', 'init', '--quiet');
  run(place, 'git', 'add', '--all');
  const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org'];
  run(place, 'git', ...who, 'commit', '--quiet', '--message=all');
  return place;
}

function releaseIn(place: string, ...words: string[]) {
  const script = join(REPOSITORY_ROOT, 'release/release.ts');
  return spawnSync(process.execPath, [script, ...words], { cwd: place, encoding: 'utf8' });
}

t.test('a release changes what its dry run says, in a clean tree alone', async t => {
  const place = copyOfRepository(t);
  const dry = releaseIn(place, '9.8.7', '--dry-run');
  t.match(dry.stdout, 'would write changelog/9.8.7.md');
  t.match(dry.stdout, /^# 9\.8\.7, \d{4}-/m);
  t.equal(run(place, 'git', 'status', '--porcelain'), '');

  writeFileSync(join(place, 'left'), '');
  t.match(releaseIn(place, '9.8.7'), { status: 1, stderr: /\?\? left/ });
  run(place, 'git', 'clean', '--quiet', '--force');

  t.match(releaseIn(place, '9.8.7'), { status: 0, stderr: '' });
  t.strictSame(readdirSync(join(place, 'changelog/unreleased')), []);
  for (const { path } of VERSION_PLACES) {
    t.match(readFileSync(join(place, path), 'utf8'), '9.8.7', path);
  }
  const diff = run(place, 'git', 'diff', '--numstat', '--', 'package-lock.json');
  t.equal(diff, '2\t2\tpackage-lock.json\n');
  t.match(releaseIn(place, '9.8.7'), { status: 1, stderr: /is there already/ });
});
