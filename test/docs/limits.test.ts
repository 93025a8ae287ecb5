// docs/limits.md names a constant for each number; both are read and compared.

import { readFileSync } from 'node:fs';
import t from 'tap';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  ms: 1,
  s: 1000,
  min: 60_000,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

const ROW = /^\| (.+?) \| ([\d,]+) ?([a-zA-Z]*) \| `([^`]+)` `([^`]+)` \|$/;

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

const tableLines = read('docs/limits.md')
  .split('\n')
  .filter(line => /`(agent|controller|proto)\//.test(line) && line.startsWith('|'));

/** The number that the right side of `name = …` or `name: …` stands for. */
function constantIn(source: string, name: string): number | undefined {
  const text = new RegExp(`\\b${name}(?:: number)?(?: =|:) ([\\d_ ()*<+-]+)[;,]`).exec(source)?.[1];
  if (text === undefined) return undefined;
  return text
    .split('<<')
    .map(part => part.trim())
    .map(productOf)
    .reduce((value, shift) => value * 2 ** shift);
}

function productOf(text: string): number {
  return text
    .split(/(?<!\*)\*(?!\*)/)
    .map(factor => factor.split('**').map(part => Number(part.replaceAll('_', ''))))
    .map(([base = Number.NaN, exponent]) => (exponent === undefined ? base : base ** exponent))
    .reduce((product, factor) => product * factor, 1);
}

t.test('every row of a limit can be read', async t => {
  t.ok(tableLines.length > 20);
  for (const line of tableLines) t.match(line, ROW);
});

for (const line of tableLines) {
  const [, what = '', digits = '', unit = '', path = '', name = ''] = ROW.exec(line) ?? [];
  t.test(`${path} ${name} is ${digits} ${unit} (${what})`, async t => {
    const documented = Number(digits.replaceAll(',', '')) * (UNITS[unit] ?? Number.NaN);
    t.equal(constantIn(read(path), name), documented);
  });
}

t.test('expressions as the sources have them are understood', async t => {
  const source =
    'const A = 2 ** 31 - 1;\nconst B = 16 * 1024 * 1024;\n c: 10 * 60_000,\nD = 512 << 20;';
  t.equal(constantIn(source, 'B'), 2 ** 24);
  t.equal(constantIn(source, 'c'), 600_000);
  t.equal(constantIn(source, 'D'), 2 ** 29);
  t.equal(constantIn(source, 'E'), undefined);
});
