// stevedore cat ID:/path

import { EXIT } from './exit-status.ts';
import { parseTreePath, usageError } from './option-values.ts';
import type { Verb } from './verb.ts';

export const cat: Verb = Object.freeze({
  words: ['cat'],
  operands: '<id:/path>',
  summary: 'write a stored file to standard output',
  description:
    'Writes the bytes of one file to standard output, each checked against its hash before it is ' +
    'written. It has no JSON form.',
  options: [],
  examples: [
    { command: 'stevedore cat latest:/etc/fstab', text: 'look at a file' },
    { command: 'stevedore cat 3f9a0c12:/db.sql.gz | gunzip | psql', text: 'use it at once' },
  ],
  prepare: ([operand = ''], options) => {
    const target = parseTreePath(operand, 'the file');
    if (!target.includes(':')) throw usageError(`the file is '${operand}'; give ID:/path`);
    if (options.output === 'json') {
      throw usageError('cat writes the bytes of a file and has no JSON form; leave -o json out');
    }
    return session =>
      session.withRepository({ isReadOnly: true }, async repository => {
        const { signal, output } = session;
        for await (const bytes of session.engine.readFile(repository, target, { signal })) {
          await output.bytes(bytes);
          if (output.isClosed) break;
        }
        return EXIT.done;
      });
  },
} satisfies Verb);
