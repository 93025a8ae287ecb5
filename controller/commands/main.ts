// `stevedore queue` and `stevedore nodes`: hands the process to run-command.ts.

import { readFileSync } from 'node:fs';
import { systemClock } from '#engine/base/clock.ts';
import { runCommand } from './run-command.ts';

const COLUMNS_DEFAULT = 100;

export async function main(): Promise<void> {
  const { stdout, stderr } = process;
  stderr.on('error', () => {});
  const words = process.argv.slice(2);
  const status = await runCommand({
    // `stevedore help queue`
    words: words[0] === 'help' ? [...words.slice(1), '--help'] : words,
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
