// docs/configuration.md and docs/controller.md have the settings of their programs as the tables
// have them.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { INERT_FLAGS, SETTINGS } from '#agent/config-table.ts';
import { SETTINGS as CONTROLLER_SETTINGS } from '#controller/config-table.ts';
import { longFlag, type Setting } from '#agent/setting.ts';

type Rows = readonly (readonly [string, Setting<unknown>])[];

const pageOf = (name: string) =>
  readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
const PAGES: readonly { readonly name: string; readonly rows: Rows }[] = [
  { name: 'configuration', rows: Object.entries(SETTINGS) },
  { name: 'controller', rows: Object.entries(CONTROLLER_SETTINGS) },
];

function rowOf(
  key: string,
  { flags, variables, initial, missing, text }: Setting<unknown>,
): string {
  const names = variables.map(name => `\`${name}\``).join(', ');
  const value = initial === undefined ? '' : `\`${initial}\``;
  const written = missing === undefined ? value : 'must be given';
  return `| \`${longFlag(flags)}\` | ${names} | \`${key}\` | ${written} | ${text} |`;
}

for (const { name, rows } of PAGES) {
  t.test(`docs/${name}.md has each setting, in the order of the table, and no other`, async t => {
    const documented = pageOf(name)
      .split('\n')
      .filter(line => line.startsWith('| `--') && line.split('|').length === 7);
    t.strictSame(
      documented,
      rows.map(([key, setting]) => rowOf(key, setting)),
    );
  });
}

t.test('what is accepted without effect is named', async t => {
  for (const flags of INERT_FLAGS) t.match(pageOf('configuration'), `\`${longFlag(flags)}\``);
});
