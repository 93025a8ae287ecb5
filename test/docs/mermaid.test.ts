// Diagrams are text that GitHub renders. Whether mermaid takes them only mermaid can say, which
// needs a browser; what is looked at here are the slips that were made: a kind that there is not,
// brackets and quotes that do not close, a participant that nobody has named.

import t from 'tap';
import { blocksOf, documentationPages, type PageBlock } from './page-blocks.ts';

const KINDS = /^(flowchart (LR|TD|TB|RL)|sequenceDiagram|stateDiagram-v2)$/;
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
const MESSAGE = /^(\w+)(?:-?->>?|--?>>)([+-]?)(\w+): \S/;

const diagrams = documentationPages()
  .flatMap(blocksOf)
  .filter(({ language }) => language === 'mermaid');

for (const diagram of diagrams) {
  t.test(`${diagram.page}:${diagram.line} is a diagram`, async t => {
    t.same(faultsOf(diagram), []);
  });
}

t.test('slips are found', async t => {
  const faults = (text: string) =>
    faultsOf({ page: 'a.md', line: 1, section: '', language: 'mermaid', text });
  t.same(faults('graf LR\n  a --> b'), ['graf LR is no kind of diagram']);
  t.same(faults('flowchart LR\n  a[x --> b'), ['line 3: a bracket does not close']);
  t.same(faults('flowchart LR\n  a["x] --> b'), ['line 3: a quote does not close']);
  t.same(faults('sequenceDiagram\n  participant A as one\n  A->>B: hello'), [
    'line 4: B is no participant',
  ]);
});

function faultsOf({ text, line }: PageBlock): string[] {
  const [kind = '', ...lines] = text.split('\n');
  if (!KINDS.test(kind.trim())) return [`${kind} is no kind of diagram`];
  const people = new Set([...text.matchAll(/^ *participant (\w+)/gm)].map(([, name]) => name));
  return lines.flatMap((each, index) => {
    const place = `line ${line + 2 + index}:`;
    const said = each.trim();
    if ((said.match(/"/g) ?? []).length % 2 === 1) return [`${place} a quote does not close`];
    if (kind.trim() !== 'sequenceDiagram') {
      return isBalanced(said) ? [] : [`${place} a bracket does not close`];
    }
    const [, from, , to] = MESSAGE.exec(said) ?? [];
    const unknown = [from, to].filter(name => name !== undefined && !people.has(name));
    return unknown.map(name => `${place} ${name} is no participant`);
  });
}

/** Outside of quotes and of arrows; `[/x/]` and `[(x)]` are shapes. */
function isBalanced(text: string): boolean {
  const open: string[] = [];
  for (const character of text.replace(/"[^"]*"/g, '')) {
    const closing = CLOSING[character];
    if (closing !== undefined) open.push(closing);
    else if (')]}'.includes(character) && open.pop() !== character) return false;
  }
  return open.length === 0;
}
