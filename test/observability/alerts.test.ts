// The rules of the chart under promtool, with series of alert-cases.ts: each fires of what it is
// made for, and is silent of what is near to that.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ALERTS_FILE, alertRules } from '#test/charts/alert-rules.ts';
import { ALERT_CASES, type Series } from './alert-cases.ts';
import { isMissing, prometheusProgram } from './prometheus-programs.ts';

const skip = isMissing('promtool');

function promtool(...words: string[]): string {
  return execFileSync(prometheusProgram('promtool'), words, { encoding: 'utf8', stdio: 'pipe' });
}

t.test('the file has rules of Prometheus, without a doubt', { skip }, async t => {
  t.match(promtool('check', 'rules', '--lint=all', '--lint-fatal', ALERTS_FILE), /SUCCESS/);
});

t.test('each alert has a case that it fires of, and one of which it does not', async t => {
  const names = alertRules().map(({ alert }) => alert);
  t.strictSame([...new Set(ALERT_CASES.map(({ alert }) => alert))].sort(), names.sort());
  for (const name of names) {
    const own = ALERT_CASES.filter(({ alert }) => alert === name);
    t.ok(
      own.some(({ silent }) => Object.keys(silent).length > 0),
      name,
    );
  }
});

/** A file of `promtool test rules`: at the end of the hour it fires, or has not fired at all. */
function testFile(alert: string, series: Series, isFiring: boolean): string {
  const firing = `count_over_time(ALERTS{alertname="${alert}",alertstate="firing"}[1h])`;
  const question = {
    expr: `count(${firing}) or vector(0)`,
    eval_time: '60m',
    exp_samples: [{ labels: '{}', value: isFiring ? 1 : 0 }],
  };
  return JSON.stringify({
    rule_files: [ALERTS_FILE],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [question],
      },
    ],
  });
}

for (const { alert, fires, silent } of ALERT_CASES) {
  t.test(`${alert} fires, and is silent where it is to be`, { skip }, async t => {
    const directory = t.testdir({});
    const verdict = (series: Series, isFiring: boolean): string => {
      const path = join(directory, 'test.json');
      writeFileSync(path, testFile(alert, series, isFiring));
      try {
        return promtool('test', 'rules', path).includes('SUCCESS') ? 'as it should' : 'unknown';
      } catch (error) {
        return String((error as { stdout?: string }).stdout) + String(error);
      }
    };
    t.equal(verdict(fires, true), 'as it should', 'it fires');
    for (const [what, series] of Object.entries(silent)) {
      t.equal(verdict(series, false), 'as it should', `silent: ${what}`);
    }
  });
}
