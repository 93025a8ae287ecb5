// docs/configuration.md has the settings of the agent as the table has them.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { INERT_FLAGS, SETTINGS } from '#agent/config-table.ts';
import { longFlag, type Setting } from '#agent/setting.ts';

const text = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const rows: readonly [string, Setting<unknown>][] = Object.entries(SETTINGS);

function rowOf(
  key: string,
  { flags, variables, initial, missing, text }: Setting<unknown>,
): string {
  const names = variables.map(name => `\`${name}\``).join(', ');
  const value = initial === undefined ? '' : `\`${initial}\``;
  const written = missing === undefined ? value : 'must be given';
  return `| \`${longFlag(flags)}\` | ${names} | \`${key}\` | ${written} | ${text} |`;
}

t.test('each setting has its row, in the order of the table, and there is no other', async t => {
  const documented = text.split('\n').filter(line => line.startsWith('| `--'));
  t.strictSame(
    documented,
    rows.map(([key, setting]) => rowOf(key, setting)),
  );
});

t.test('what is accepted without effect is named', async t => {
  for (const flags of INERT_FLAGS) t.match(text, `\`${longFlag(flags)}\``);
});
