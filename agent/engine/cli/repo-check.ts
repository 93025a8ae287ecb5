// stevedore repo check

import { EXIT } from './exit-status.ts';
import { isSet } from './option-values.ts';
import { renderProblems } from './problems.ts';
import { counted, formatBytes, formatCount } from './quantity.ts';
import { renderFields } from './table.ts';
import type { Engine, Verb } from './verb.ts';

type CheckOutcome = Awaited<ReturnType<Engine['checkRepository']>>;

export function renderCheck(outcome: CheckOutcome): string {
  const { contents, contentsDeleted, packs, packsUnreferenced } = outcome;
  const read =
    outcome.contentsRead === 0
      ? 'nothing; --read-data reads all of it'
      : `${counted(outcome.contentsRead, 'content')}, ${formatBytes(outcome.bytesRead)}`;
  const fields = renderFields([
    ['index', counted(outcome.indexBlobs, 'blob')],
    ['contents', withRest(contents, contentsDeleted, 'deleted')],
    [
      'packs',
      `${withRest(packs, packsUnreferenced, 'not in use')}, ${formatBytes(outcome.packBytes)}`,
    ],
    ['read', read],
  ]);
  return `Repository checked\n\n${fields}${renderProblems(outcome.problems, outcome.problemCount)}`;
}

function withRest(count: number, rest: number, what: string): string {
  return rest === 0 ? formatCount(count) : `${formatCount(count)} and ${formatCount(rest)} ${what}`;
}

export const repoCheck: Verb = Object.freeze({
  words: ['repo', 'check'],
  operands: '',
  summary: 'check that nothing is missing or damaged',
  description:
    'Reads every index and makes sure that every pack is there and long enough. With --read-data ' +
    'every content is read, decrypted and compared with its hash. The exit status is 1 when ' +
    'something is wrong.',
  options: [{ flags: '--read-data', text: 'also read everything that is stored' }],
  examples: [
    { command: 'stevedore repo check', text: 'quick' },
    { command: 'stevedore repo check --read-data', text: 'thorough; fetches the whole repository' },
  ],
  prepare: (_operands, options) => {
    const request = { readData: isSet(options, 'readData') };
    return session =>
      session.withRepository({ isReadOnly: true, isWithoutCache: true }, async repository => {
        const outcome = await session.withProgress(onProgress =>
          session.engine.checkRepository(repository, request, {
            signal: session.signal,
            onProgress,
          }),
        );
        await session.output.report(outcome, () => renderCheck(outcome));
        return outcome.problems.length === 0 ? EXIT.done : EXIT.failed;
      });
  },
} satisfies Verb);
