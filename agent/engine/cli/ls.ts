// stevedore ls ID[:/path]

import { EXIT } from './exit-status.ts';
import { isSet, parseTreePath } from './option-values.ts';
import { renderRows } from './table.ts';
import { TREE_COLUMNS, treeEntryDocument } from './tree-entry.ts';
import type { Verb } from './verb.ts';

export const ls: Verb = Object.freeze({
  words: ['ls'],
  operands: '<id[:/path]>',
  summary: 'list the entries of a snapshot',
  description:
    'Lists a directory of a snapshot. Names with control characters are shown escaped; -o json ' +
    'has them as they are, as {"entries": [...]}.',
  options: [{ flags: '-r, --recursive', text: 'everything below as well' }],
  examples: [
    { command: 'stevedore ls latest', text: 'the top of the newest snapshot' },
    { command: 'stevedore ls 3f9a0c12:/etc --recursive', text: 'everything below /etc' },
  ],
  prepare: ([operand = ''], options) => {
    const target = parseTreePath(operand, 'the snapshot');
    const isRecursive = isSet(options, 'recursive');
    return session =>
      session.withRepository({ isReadOnly: true }, async repository => {
        const { signal } = session;
        const entries = session.engine.listTree(repository, target, { isRecursive }, { signal });
        await session.output.list(entries, {
          key: 'entries',
          json: treeEntryDocument,
          text: (page, isFirst) => renderRows(TREE_COLUMNS, page, isFirst),
        });
        return EXIT.done;
      });
  },
} satisfies Verb);
