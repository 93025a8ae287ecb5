// The alerts of the chart, as its file has them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseYaml } from '#engine/base/yaml.ts';
import { CHART } from './helm.ts';

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export const ALERTS_FILE = join(CHART, 'files/alerts.yaml');

export function alertRules(): AlertRule[] {
  const text = readFileSync(ALERTS_FILE, 'utf8');
  // A file of rules of Prometheus, whose form promtool checks.
  const { groups } = parseYaml(text, ALERTS_FILE) as { groups: { rules: AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}
