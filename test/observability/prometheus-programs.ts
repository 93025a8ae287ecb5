// Prometheus and promtool, as test/observability/build.sh makes them.

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

export type PrometheusProgram = 'prometheus' | 'promtool';

export function prometheusProgram(name: PrometheusProgram): string {
  return join(REPOSITORY_ROOT, 'out/bin', name);
}

/** Why what needs it is skipped; false where it is there. */
export function isMissing(...names: readonly PrometheusProgram[]): string | false {
  for (const name of names) {
    try {
      accessSync(prometheusProgram(name), constants.X_OK);
    } catch {
      return `no ${name}: run test/observability/build.sh`;
    }
  }
  return false;
}
