// Dashboards of the chart: what each panel says of itself, and that it asks for what there is. That
// the answers have something in them is tested by test/observability.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';
import { dashboards, panelQueries } from './dashboard-queries.ts';

/** Each of which has few values; node is bounded by the cluster. */
const LABELS = new Set([
  ...['node', 'kind', 'class', 'cause', 'code', 'reason', 'limit', 'outcome', 'operation'],
  ...['priority', 'direction', 'state', 'phase', 'location', 'le'],
]);

t.test('there are two of them, each with a title and an address of its own', async t => {
  const found = dashboards().map(({ title, uid }) => `${title} ${uid}`);
  t.strictSame(found, ['Stevedore / Caches stevedore-caches', 'Stevedore / Moves stevedore-moves']);
});

t.test('each panel has a unit, says what it is for, and names its series', async t => {
  for (const { title, panels } of dashboards()) {
    const titles = panels.map(panel => panel.title);
    t.equal(new Set(titles).size, titles.length);
    for (const { title: name, description, fieldConfig, targets } of panels) {
      const { unit = '' } = fieldConfig.defaults;
      t.not(unit, '', `${title}: ${name}`);
      t.match(description, /\.$/, `${title}: ${name}`);
      t.ok(targets.length > 0 && targets.every(({ legendFormat }) => legendFormat !== ''), name);
    }
  }
});

t.test('queries ask for metrics that are documented, by labels that are bounded', async t => {
  const text = readFileSync(join(REPOSITORY_ROOT, 'docs/metrics.md'), 'utf8');
  const known = new Set([...text.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name));
  for (const { name, expr } of panelQueries('1m')) {
    const metrics = [...expr.matchAll(/\bstevedore_\w+/g)].map(([metric]) => metric);
    t.ok(metrics.length > 0, name);
    for (const metric of metrics) t.ok(known.has(metric.replace(/_bucket$/, '')), metric);
    t.notMatch(expr, '$', name);
    for (const [, list = ''] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of list.split(', ')) t.ok(LABELS.has(label), `${name}: ${label}`);
    }
    // Without a sum there would be a series for each pod that ever was.
    t.match(expr, /\b(?:sum|min|max|count)\b/, name);
  }
});
