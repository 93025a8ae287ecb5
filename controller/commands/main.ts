// `stevedore queue`, `stevedore nodes` and `stevedore annotations`: hands the process to
// run-command.ts or show-annotations.ts.

import { readFileSync } from 'node:fs';
import { systemClock } from '#engine/base/clock.ts';
import { runCommand } from './run-command.ts';
import { showAnnotations } from './show-annotations.ts';

const COLUMNS_DEFAULT = 100;

export async function main(): Promise<void> {
  const { stdout, stderr } = process;
  stderr.on('error', () => {});
  const given = process.argv.slice(2);
  // `stevedore help queue`
  const words = given[0] === 'help' ? [...given.slice(1), '--help'] : given;
  const run = words[0] === 'annotations' ? showAnnotations : runCommand;
  const status = await run({
    words,
    environment: process.env,
    readText: path => readFileSync(path, 'utf8'),
    columns: stdout.columns ?? COLUMNS_DEFAULT,
    stdout,
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
