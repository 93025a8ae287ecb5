// docs/chart-values.md is made of charts/stevedore/values.yaml, whose comments say what a key is.
// After a change of those: TAP_SNAPSHOT=1 node test/node24.js test/docs/chart-values.test.ts

import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { parseYaml } from '#engine/base/yaml.ts';

const VALUES = new URL('../../charts/stevedore/values.yaml', import.meta.url);
const PAGE = new URL('../../docs/chart-values.md', import.meta.url);

const HEAD = `# Values of the chart

Made of the comments of \`charts/stevedore/values.yaml\`; how to use them is in
[chart.md](chart.md).
`;

interface Documented {
  readonly path: readonly string[];
  readonly text: string;
}

/** Keys with the comment right above them, in the order of the file. */
function* documented(lines: readonly string[]): Generator<Documented> {
  const path: string[] = [];
  let comment: string[] = [];
  for (const line of lines) {
    const [, said] = /^ *# ?(.*)$/.exec(line) ?? [];
    const [, indent = '', key] = /^( *)([\w-]+):/.exec(line) ?? [];
    if (key !== undefined) {
      path.splice(indent.length / 2, Infinity, key);
      if (comment.length > 0) yield { path: [...path], text: comment.join(' ') };
    }
    comment = said === undefined ? [] : [...comment, said];
  }
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  // Paths are those of the file.
  return path.reduce((value, key) => (value as Record<string, unknown>)[key], values);
}

function pageOf(text: string): string {
  const values = parseYaml(text, 'values.yaml');
  const all = [...documented(text.split('\n'))];
  const hasBelow = ({ path }: Documented) =>
    all.some(
      other => other.path.length > path.length && path.every((key, at) => other.path[at] === key),
    );
  const parts = all.map(each => {
    const { path, text } = each;
    const name = path.join('.');
    const escaped = text.replaceAll('|', '\\|').replace(/<(\w+)>/g, '&lt;$1&gt;');
    if (path.length === 1)
      return `\n## ${name}\n\n${escaped}.\n\n| value | default | what it is |\n|---|---|---|`;
    const initial = hasBelow(each) ? '' : `\`${JSON.stringify(valueAt(values, path))}\``;
    return `| \`${name}\` | ${initial} | ${escaped} |`;
  });
  return `${HEAD}${parts.join('\n')}\n`;
}

t.test('the page of values is what the file says', async t => {
  const page = pageOf(readFileSync(VALUES, 'utf8'));
  if (process.env.TAP_SNAPSHOT === '1') writeFileSync(PAGE, page);
  t.equal(readFileSync(PAGE, 'utf8'), page);
});
