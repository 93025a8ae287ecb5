// Alerts of the chart and the pages that say what to do about them. What they fire of is tested by
// test/observability.

import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';
import { alertRules } from './alert-rules.ts';
import { helmIsMissing, renderChart } from './helm.ts';

const RUNBOOKS = join(REPOSITORY_ROOT, 'docs/runbooks');
const METRIC = /\b(?:stevedore|podVolume)_\w+/g;
const SEVERITIES = new Set(['critical', 'warning', 'info']);
const rules = alertRules();
const page = (name: string) => readFileSync(join(RUNBOOKS, `${name}.md`), 'utf8');

t.test('each alert has a page, and each page an alert and a link from the index', async t => {
  const pages = globSync('*.md', { cwd: RUNBOOKS }).map(name => basename(name, '.md'));
  t.strictSame(pages.sort(), rules.map(({ alert }) => alert).sort());
  const index = readFileSync(join(REPOSITORY_ROOT, 'docs/README.md'), 'utf8');
  const table = readFileSync(join(REPOSITORY_ROOT, 'docs/observability.md'), 'utf8');
  for (const { alert, labels } of rules) {
    t.match(table, `\n| [${alert}](runbooks/${alert}.md) | ${labels.severity} | `);
  }
  for (const name of pages) {
    t.match(index, `](runbooks/${name}.md)`);
    t.match(page(name), /^# (\w+)\n\n[^]+\n## How to see it\n[^]+\n## What to do\n\n- /);
    t.equal(/^# (\w+)/.exec(page(name))?.[1], name);
  }
});

t.test('an alert says how bad it is, what has happened, and what to do next', async t => {
  for (const { alert, labels, annotations } of rules) {
    t.match(alert, /^Stevedore[A-Z]\w+$/);
    t.ok(SEVERITIES.has(labels.severity ?? ''), alert);
    t.ok((annotations.summary ?? '').length < 100, `${alert}: the summary is a line`);
    t.match(annotations.description, `docs/runbooks/${alert}.md.`);
    t.strictSame(Object.keys(annotations), ['summary', 'description']);
  }
});

t.test('alerts and their pages ask for metrics that are documented', async t => {
  const text = readFileSync(join(REPOSITORY_ROOT, 'docs/metrics.md'), 'utf8');
  const known = new Set([...text.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name));
  for (const { alert, expr } of rules) {
    const [means = ''] = page(alert).split('## What to do');
    const named = [...`${expr} ${means}`.matchAll(METRIC)].map(([name]) => name);
    t.ok(named.length > 0, alert);
    for (const name of named) t.ok(known.has(name), `${alert}: ${name}`);
  }
});

/** Of the alerts that the chart makes with these values more. */
function rendered(...words: string[]): { alert: string; annotations: Record<string, string> }[] {
  const flags = ['image.repository=here/stevedore', 'metrics.prometheusRule.enabled=true'];
  const objects = renderChart(...[...flags, ...words].map(each => `--set=${each}`));
  const found = objects.find(each => (each as { kind: string }).kind === 'PrometheusRule');
  // Its spec is a file of rules.
  const { groups } = (found as { spec: { groups: { rules: ReturnType<typeof rendered> }[] } }).spec;
  return groups.flatMap(({ rules }) => rules);
}

t.test('runbook_url is there where it is known where pages lie', { skip: helmIsMissing() }, t => {
  const plain = rendered();
  t.strictSame(
    plain.map(({ alert }) => alert),
    rules.map(({ alert }) => alert),
  );
  for (const { annotations } of plain) t.equal(annotations.runbook_url, undefined);
  for (const address of ['https://wiki.example/runbooks', 'https://wiki.example/runbooks/']) {
    for (const { alert, annotations } of rendered(`metrics.prometheusRule.runbookUrl=${address}`)) {
      t.equal(annotations.runbook_url, `https://wiki.example/runbooks/${alert}.md`);
      t.match(annotations.description, /docs\/runbooks/);
    }
  }
  t.end();
});
