// The dashboards of the chart, as their files have them, and what they ask Prometheus for.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHART } from './helm.ts';

export interface GrafanaPanel {
  readonly title: string;
  readonly description?: string;
  readonly type: string;
  readonly fieldConfig: { readonly defaults: { readonly unit?: string } };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

export interface DashboardFile {
  readonly file: string;
  readonly title: string;
  readonly uid: string;
  readonly panels: readonly GrafanaPanel[];
}

export function dashboards(): DashboardFile[] {
  return globSync('files/dashboards/*.json', { cwd: CHART })
    .sort()
    .map(file => {
      // Written by charts/dashboards, with Grafana's own types.
      const dashboard = JSON.parse(readFileSync(join(CHART, file), 'utf8')) as DashboardFile;
      return { ...dashboard, file };
    });
}

export interface PanelQuery {
  /** `Stevedore / Moves: Now: running` */
  readonly name: string;
  readonly expr: string;
}

/** As Grafana would ask for all nodes, and for rates of that time. */
export function panelQueries(rateInterval: string): PanelQuery[] {
  return dashboards().flatMap(({ title, panels }) =>
    panels.flatMap(panel =>
      panel.targets.map(({ expr, legendFormat }) => ({
        name: `${title}: ${panel.title}: ${legendFormat}`,
        expr: expr.replaceAll('$__rate_interval', rateInterval).replaceAll('$node', '.*'),
      })),
    ),
  );
}
