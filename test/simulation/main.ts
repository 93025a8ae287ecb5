// npm run simulate: one JSON line on standard output; exit status 1 when something was violated.

import { parseOptions } from './simulation-options.ts';
import { simulate } from './simulation.ts';

try {
  const result = simulate(parseOptions(process.argv.slice(2)));
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.violations === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
