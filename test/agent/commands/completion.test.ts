import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';
import { runCluster } from './run-cluster.ts';

async function offered(words: readonly string[], isPlugin = false): Promise<string[]> {
  const { stdout } = await runCluster(['__complete', ...words], { isPlugin });
  return stdout
    .split('\n')
    .flatMap(line => line.split('\t', 1))
    .filter(word => word !== '');
}

t.test('verbs, verbs of two words and options are offered as they are typed', async t => {
  t.strictSame(await offered(['mo']), ['moves']);
  t.strictSame(await offered(['repo', 'c']), ['create', 'check']);
  t.strictSame(await offered(['moves', '--na']), ['--namespace']);
  t.strictSame(await offered(['moves', '--kubeconfig', 'x', '--no']), ['--node']);
  t.strictSame(await offered(['restore', '--del']), ['--delta', '--delete-extra']);
  t.strictSame(await offered(['-o', 'json', 'sna']), ['snapshots']);
});

t.test('nothing is offered where a value is expected, so that the shell offers files', async t => {
  t.strictSame(await offered(['moves', '--kubeconfig', '']), []);
  t.strictSame(await offered(['ls', '']), []);
});

t.test('the plugin offers its own verbs alone', async t => {
  const words = await offered([''], true);
  t.ok(words.includes('moves') && words.includes('queue'));
  t.notOk(words.includes('repo'));
});

t.test('a shell that is not known is refused with those that are', async t => {
  const { status, stderr } = await runCluster(['completion', 'tcsh']);
  t.equal(status, 2);
  t.match(stderr, /'tcsh' is no shell that is known; give one of bash, zsh, fish, kubectl/);
});

t.test('bash completes a line with the script', async t => {
  const { stdout } = await runCluster(['completion', 'bash']);
  const launcher = join(REPOSITORY_ROOT, 'agent/stevedore.js');
  const script = `${stdout}
    stevedore() { "${process.execPath}" "${launcher}" "$@"; }
    COMP_WORDS=(stevedore moves --fa); COMP_CWORD=2; _stevedore; printf '%s,' "\${COMPREPLY[@]}"`;
  t.equal(execFileSync('bash', ['-c', script], { encoding: 'utf8' }), '--failed,');
});

for (const [shell, flags] of [
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
] as const) {
  const isThere = spawnSync(shell, ['--version']).error === undefined;
  t.test(`${shell} can read its script`, { skip: !isThere && `no ${shell} here` }, async t => {
    const { stdout } = await runCluster(['completion', shell]);
    const { status, stderr } = spawnSync(shell, [...flags], { input: stdout, encoding: 'utf8' });
    t.equal(status, 0, stderr);
  });
}
