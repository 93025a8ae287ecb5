// Values as people would give them, and what helm renders of the chart with each, with files in
// place of those that another program writes: what is in a dashboard is no concern of the chart.

import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';
import { CHART, helm, KUBE_VERSION } from './helm.ts';

const FOLDER = join(REPOSITORY_ROOT, 'test/charts/values');

/** Names of files in test/charts/values, without `.yaml`. */
export const VALUE_FILES: readonly string[] = Object.freeze(
  readdirSync(FOLDER)
    .map(name => name.replace(/\.yaml$/, ''))
    .sort(),
);

export function valuesOf(name: string): string {
  return join(FOLDER, `${name}.yaml`);
}

const ALERTS = `groups:
  - name: stevedore
    rules:
      - alert: AgentSilent
        expr: up{job="stevedore"} == 0
        labels: { severity: warning }
        annotations: { summary: 'agent {{ $labels.pod }} says nothing' }
`;

/** A copy in `directory`, with one alert and one dashboard. */
export function chartWithFiles(directory: string): string {
  const copy = join(directory, 'stevedore');
  cpSync(CHART, copy, { recursive: true });
  rmSync(join(copy, 'files'), { recursive: true, force: true });
  mkdirSync(join(copy, 'files/dashboards'), { recursive: true });
  writeFileSync(join(copy, 'files/alerts.yaml'), ALERTS);
  const dashboard = { title: 'Caches', legend: '{{node}}' };
  writeFileSync(join(copy, 'files/dashboards/caches.json'), JSON.stringify(dashboard, null, 2));
  return copy;
}

/** What `helm template` says of an installation in Velero's namespace. */
export function renderText(chart: string, ...words: string[]): string {
  return helm('template', 'stevedore', chart, '--namespace=velero', KUBE_VERSION, ...words);
}
