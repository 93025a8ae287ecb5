// The command with the real engine on a directory: what a person and a script would do.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { CollectingSink } from './collecting-sink.ts';
import { runWords } from './surface.ts';

const PROGRAM = fileURLToPath(new URL('../../../agent/stevedore.js', import.meta.url));
const HOSTILE = 'evil\u001b[2J\nname';

const place = t.testdir({
  repository: {},
  source: { a: 'first\n', directory: { b: 'x'.repeat(100_000) }, empty: '' },
});
const source = join(place, 'source');
symlinkSync('a', join(source, 'link'));
writeFileSync(join(source, HOSTILE), 'who?');
utimesSync(join(source, 'a'), 1_000_000_000, 1_000_000_000.5);
const environment = {
  STEVEDORE_REPO: `file://${place}/repository`,
  STEVEDORE_PASSWORD: 'secret',
};

function run(words: string[], sink?: CollectingSink, more: Record<string, string> = {}) {
  return runWords([...words, '--threads', '1'], {
    environment: { ...environment, ...more },
    loadEngine: () => import('#engine/index.ts'),
    sink,
  });
}

async function json(words: string[], status = 0): Promise<Record<string, unknown>> {
  const ran = await run([...words, '-o', 'json']);
  t.equal(ran.status, status, `${words.join(' ')} has status ${status}\n${ran.stderr}`);
  return JSON.parse(ran.stdout) as Record<string, unknown>;
}

t.test('the command from an empty directory to a restored tree', async t => {
  t.match(await run(['snapshots']), { status: 1, stderr: /REPOSITORY_NOT_FOUND/ });
  t.match(await json(['repo', 'create']), { owner: { user: 'me', host: 'desk' } });
  t.match(await json(['repo', 'create'], 1), { error: { code: 'REPOSITORY_EXISTS' } });
  t.match(await run(['repo', 'info']), { status: 0, stdout: /AES256-GCM-HMAC-SHA256/ });

  const first = await json(['backup', source, '--tag', 'k:v', '--description', 'one']);
  t.match(first, { files: 4, directories: 2, skipped: [] });
  writeFileSync(join(source, 'directory/b'), 'changed');
  const second = await json(['backup', source]);
  t.not(first.rootObjectId, second.rootObjectId);
  const ids = [String(first.snapshotId), String(second.snapshotId)] as const;

  const list = await json(['snapshots']);
  t.match(list, [
    {
      id: ids[0],
      source: { user: 'me', host: 'desk', path: source },
      tags: { k: 'v' },
      description: 'one',
    },
    { id: ids[1] },
  ]);

  const { entries } = (await json(['ls', 'latest', '-r'])) as { entries: { path: string }[] };
  t.strictSame(
    entries.map(({ path }) => path).sort(),
    ['a', 'directory', 'directory/b', 'empty', HOSTILE, 'link'].sort(),
  );
  const shown = await run(['ls', 'latest']);
  t.match(shown.stdout, 'evil\\x1b[2J\\nname');
  t.notMatch(shown.stdout, '\u001b');

  t.match(await run(['cat', `${ids[0]}:/a`]), { status: 0, stdout: 'first\n' });
  t.match(await json(['diff', ids[0], 'latest'], 3), { differences: [{ kind: 'changed' }] });

  const target = join(place, 'restored');
  t.match(await json(['restore', 'latest', target]), { files: 4, differences: [] });
  t.equal(readFileSync(join(target, 'directory/b'), 'utf8'), 'changed');
  t.match(await json(['restore', 'latest', target], 1), { error: { code: 'TARGET_NOT_EMPTY' } });

  t.match(await run(['verify']), { status: 0, stdout: /Verified 2 snapshots[^]*No problems/ });
  t.match(await json(['repo', 'check', '--read-data']), { problems: [] });

  t.match(await json(['forget', ids[0]]), { forgotten: [ids[0]] });
  t.match(await run(['snapshots']), { stdout: /1 snapshot of 1 source/ });
});

t.test('mistakes have a code, a message and status 1', async t => {
  t.match(await run(['ls', 'ffffffff'], undefined), { status: 1, stderr: /SNAPSHOT_NOT_FOUND/ });
  t.match(await json(['cat', 'latest:/nothing'], 2), { error: { code: 'USAGE' } });
  t.match(await json(['backup', join(place, 'nowhere')], 1), {
    error: { code: 'SOURCE_NOT_FOUND' },
  });
  const wrong = await run(['snapshots', '-o', 'json'], undefined, { STEVEDORE_PASSWORD: 'no' });
  t.equal(wrong.status, 1);
  t.match(JSON.parse(wrong.stdout), { error: { code: 'REPOSITORY_PASSWORD_WRONG' } });
  t.notMatch(wrong.stdout + wrong.stderr, /secret/);
  const odd = await json(['snapshots', '--repo', 'ftp://x'], 1);
  t.match(odd, { error: { code: 'STORAGE_URL_INVALID' } });
});

t.test('the program itself: version, usage, a closed pipe', async t => {
  const start = (words: string[]) =>
    new Promise<{ status: number; stdout: string; stderr: string }>(resolve => {
      execFile(
        process.execPath,
        [PROGRAM, ...words],
        { env: { ...process.env, ...environment } },
        (error, stdout, stderr) => {
          resolve({ status: error ? Number(error.code) : 0, stdout, stderr });
        },
      );
    });
  t.match(await start(['--version']), { status: 0, stdout: /^stevedore \d/ });
  t.match(await start(['nonsense']), { status: 2, stderr: /unknown command/, stdout: '' });

  mkdirSync(join(place, 'big'));
  writeFileSync(join(place, 'big/file'), Buffer.alloc(8 << 20));
  await json(['backup', join(place, 'big')]);
  const child = spawn(process.execPath, [PROGRAM, 'cat', 'latest:/file', '--threads', '1'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const status = await new Promise(resolve => child.once('exit', resolve));
  t.equal(status, 0, 'a reader that goes away is no failure');
});

t.test('node takes options of V8 beside the command', async t => {
  const words = ['--max-old-space-size=300', PROGRAM, 'backup', source, '--quiet'];
  const options = { env: { ...process.env, ...environment }, encoding: 'utf8' } as const;
  const stdout = execFileSync(process.execPath, words, options);
  t.match(stdout, /^Snapshot [0-9a-f]{32}/);
});
