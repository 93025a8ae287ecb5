// What is about a cluster: `stevedore moves` and others, and `kubectl stevedore`. Hands the process
// to run-cluster-command.ts.

import { basename } from 'node:path';
import { endProcess } from '#engine/base/end-process.ts';
import { packageVersion } from '#engine/base/package-version.ts';
import { processSurface, surroundings } from '#engine/cli/process-surface.ts';
import { runClusterCommand } from './run-cluster-command.ts';

const COLUMNS_DEFAULT = 100;

export async function main(): Promise<void> {
  const status = await runClusterCommand({
    ...processSurface(COLUMNS_DEFAULT),
    isPlugin: basename(process.argv[1] ?? '').startsWith('kubectl-stevedore'),
    version: packageVersion(),
    surroundings: surroundings(),
  });
  endProcess(status);
}
