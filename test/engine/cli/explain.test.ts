import t from 'tap';
import { deepestAbove, explainOptions, renderExplanation } from '#engine/cli/explain.ts';

const surroundings = { workingDirectory: '/home/me', user: 'me', host: 'desk' };
type Explanation = Parameters<typeof renderExplanation>[0];
type Decision = Explanation['decision'];

t.test('an explanation is asked for by path, and about a source', async t => {
  const options = { source: 'docs', exclude: ['*.o'] };
  t.match(explainOptions('docs/a/', options, surroundings), {
    about: '/home/me/docs/a/',
    path: '/home/me/docs',
    source: { user: 'me', host: 'desk' },
    exclude: ['*.o'],
  });
  t.match(explainOptions('/', {}, surroundings), { about: '/', path: undefined });
});

t.test('the source that holds a path most closely is meant', async t => {
  const sources = ['/', '/srv', '/srv/www', '/srv/www2'];
  t.equal(deepestAbove(sources, '/srv/www/a'), '/srv/www');
  t.equal(deepestAbove(sources, '/srv/www'), '/srv/www');
  t.equal(deepestAbove(sources, '/srv/ww'), '/srv');
  t.equal(deepestAbove(sources, '/etc'), '/');
  t.equal(deepestAbove(['/srv'], '/etc'), undefined);
});

function textOf(decision: Decision, more: Partial<Explanation> = {}): string {
  const isIncluded = decision.reason === 'nothing';
  const path = { path: '/s/a/b', source: '/s', decidedAt: '/s/a/b' };
  return renderExplanation({ ...path, isIncluded, exists: true, decision, ...more });
}

t.test('a person reads what decides and where it stands', async t => {
  const rule = (origin: NonNullable<Extract<Decision, { rule?: unknown }>['rule']>['origin']) =>
    ({ pattern: '*.o', origin, line: 3 }) as const;
  t.matchOnly(textOf({ reason: 'nothing' }), /would be in the snapshot of \/s\.\n\n.*nothing excl/);
  const policy = { kind: 'policy', target: '(global)' } as const;
  t.match(textOf({ reason: 'ignored', rule: rule(policy) }), 'the policy for (global)');
  const file = { kind: 'ignore file', path: 'a/.gitignore' } as const;
  t.match(textOf({ reason: 'ignored', rule: rule(file) }), '/s/a/.gitignore, line 3');
  const typed = { kind: 'command line', file: '/p' } as const;
  t.match(textOf({ reason: 'ignored', rule: rule(typed) }), '/p, line 3');
  const origin = { kind: 'command line' } as const;
  t.match(textOf({ reason: 'too large', bytesMax: 1024, origin }), /1 KiB.*command line/s);
  t.match(textOf({ reason: 'other file system', origin: { kind: 'default' } }), /file system/);
  t.match(textOf({ reason: 'behind a link' }), 'link');
  t.match(textOf({ reason: 'cache directory' }, { decidedAt: '/s/a' }), '/s/a, above it');
  t.match(textOf({ reason: 'unreadable', code: 'X', message: 'no\u001b' }), 'no\\x1b (X)');
  t.match(
    textOf({ reason: 'nothing', rule: rule(origin) }, { exists: false }),
    /takes it back.*name/s,
  );
});
