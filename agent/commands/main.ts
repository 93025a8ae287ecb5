// What is about a cluster: `stevedore moves` and others, and `kubectl stevedore`. Hands the process
// to run-cluster-command.ts.

import { hostname, userInfo } from 'node:os';
import { basename } from 'node:path';
import { systemClock } from '#engine/base/clock.ts';
import { packageVersion } from '#engine/base/package-version.ts';
import { runClusterCommand } from './run-cluster-command.ts';

const COLUMNS_DEFAULT = 100;

export async function main(): Promise<void> {
  const { stdout, stderr } = process;
  stderr.on('error', () => {});
  const status = await runClusterCommand({
    words: process.argv.slice(2),
    isPlugin: basename(process.argv[1] ?? '').startsWith('kubectl-stevedore'),
    version: packageVersion(),
    environment: process.env,
    surroundings: { workingDirectory: process.cwd(), user: userInfo().username, host: hostname() },
    stdout,
    columns: stdout.columns ?? COLUMNS_DEFAULT,
    say: text => void stderr.write(text),
    signals: {
      on: (event, listener) => process.on(event, listener),
      off: (event, listener) => process.off(event, listener),
      exit: code => process.exit(code),
    },
    clock: systemClock,
  });
  process.exit(status);
}
