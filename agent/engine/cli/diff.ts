// stevedore diff ID[:/path] ID[:/path]

import { EXIT } from './exit-status.ts';
import { parseTreePath } from './option-values.ts';
import { safeText } from './terminal-text.ts';
import type { Engine, Verb } from './verb.ts';

type Yielded<Items> = Items extends AsyncIterable<infer Item> ? Item : never;
export type Difference = Yielded<ReturnType<Engine['diffSnapshots']>>;

const SIGNS: Readonly<Record<Difference['kind'], string>> = Object.freeze({
  added: '+',
  removed: '-',
  changed: '~',
});

/** `~ etc/fstab  (content, mtime)` */
export function renderDifferences(differences: readonly Difference[]): string {
  return differences
    .map(({ kind, path, attributes }) => {
      const names = attributes.map(attribute => safeText(attributeName(attribute))).join(', ');
      return `${SIGNS[kind]} ${safeText(path)}${names === '' ? '' : `  (${names})`}\n`;
    })
    .join('');
}

function attributeName(attribute: unknown): string {
  if (typeof attribute === 'string') return attribute;
  const named = attribute as { attribute?: unknown; name?: unknown };
  const name = named.attribute ?? named.name;
  return typeof name === 'string' ? name : JSON.stringify(attribute);
}

export const diff: Verb = Object.freeze({
  words: ['diff'],
  operands: '<id[:/path]> <other[:/path]>',
  summary: 'show what differs between two snapshots',
  description:
    'Shows what is only in the second (+), only in the first (-) and different in both (~). The ' +
    'exit status is 3 when there is a difference. With -o json: {"differences": [...]}.',
  options: [],
  examples: [
    { command: 'stevedore diff 3f9a0c12 latest', text: 'what has changed since then' },
    {
      command: 'stevedore diff 3f9a0c12:/etc 77b1d0aa:/etc',
      text: 'one directory of two machines',
    },
  ],
  prepare: ([first = '', second = '']) => {
    const from = parseTreePath(first, 'the first snapshot');
    const to = parseTreePath(second, 'the second snapshot');
    return session =>
      session.withRepository({ isReadOnly: true }, async repository => {
        const { signal } = session;
        const differences = session.engine.diffSnapshots(repository, from, to, { signal });
        const count = await session.output.list(differences, {
          key: 'differences',
          json: difference => difference,
          text: renderDifferences,
        });
        if (count === 0 && session.output.format === 'text') {
          await session.output.bytes('No differences.\n');
        }
        return count === 0 ? EXIT.done : EXIT.doneWithDifferences;
      });
  },
} satisfies Verb);
