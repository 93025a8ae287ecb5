// Writes the dashboards that the chart installs; `--check` compares them with what is there.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CACHES } from './caches.ts';
import { makeDashboard } from './make-dashboard.ts';
import { MOVES } from './moves.ts';

const FOLDER = fileURLToPath(new URL('../stevedore/files/dashboards/', import.meta.url));
const files = new Map(
  [CACHES, MOVES].map(table => [
    `${table.name}.json`,
    `${JSON.stringify(makeDashboard(table), null, 2)}\n`,
  ]),
);

if (process.argv.includes('--check')) {
  const stray = readdirSync(FOLDER).filter(name => !files.has(name));
  const stale = [...files].filter(([name, text]) => textOf(name) !== text).map(([name]) => name);
  for (const name of stray) console.error(`${name}: no dashboard makes it; delete it`);
  for (const name of stale) console.error(`${name}: is old; npm run build:dashboards`);
  const faultCount = stray.length + stale.length;
  console.log(`dashboards: ${files.size} files, ${faultCount} faults`);
  process.exitCode = faultCount === 0 ? 0 : 1;
} else {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, text] of files) writeFileSync(`${FOLDER}${name}`, text);
}

function textOf(name: string): string {
  try {
    return readFileSync(`${FOLDER}${name}`, 'utf8');
  } catch {
    return '';
  }
}
