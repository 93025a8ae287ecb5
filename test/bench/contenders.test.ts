import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

t.test('a program that is named and cannot be run ends the benchmark with one line', async t => {
  const missing = `${t.testdir({})}/none`;
  for (const variable of ['KOPIA_BIN', 'RESTIC_BIN']) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, '--only', 'small'], {
      encoding: 'utf8',
      env: { ...process.env, KOPIA_BIN: '', RESTIC_BIN: '', PATH: '', [variable]: missing },
    });
    t.equal(status, 1);
    t.equal(stdout, '');
    t.match(stderr, `bench: ${variable} names ${missing}, which cannot be run: `);
    t.match(stderr, /^[^\n]+\n$/);
  }
});
