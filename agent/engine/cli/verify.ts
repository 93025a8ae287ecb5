// stevedore verify [ID…]

import { EXIT } from './exit-status.ts';
import {
  optionalText,
  parsePercent,
  parseWholeSnapshot,
  type OptionValues,
} from './option-values.ts';
import { renderProblems } from './problems.ts';
import { counted, formatBytes } from './quantity.ts';
import { renderFields } from './table.ts';
import type { Engine, Verb } from './verb.ts';

type VerifyRequest = Parameters<Engine['verify']>[1];
type VerifyOutcome = Awaited<ReturnType<Engine['verify']>>;

export function verifyRequest(operands: readonly string[], options: OptionValues): VerifyRequest {
  return {
    snapshots: operands.length === 0 ? undefined : operands.map(parseWholeSnapshot),
    readPercent: parsePercent(optionalText(options, 'readPercent') ?? '100', '--read-percent'),
  };
}

export function renderVerify(outcome: VerifyOutcome): string {
  const directories = counted(outcome.directories, 'directory', 'directories');
  const fields = renderFields([
    ['content', `${counted(outcome.files, 'file')} in ${directories}`],
    ['read', formatBytes(outcome.bytesRead)],
  ]);
  const title = `Verified ${counted(Number(outcome.snapshots), 'snapshot')}`;
  return `${title}\n\n${fields}${renderProblems(outcome.problems, outcome.problemCount)}`;
}

const MODE = Object.freeze({ isReadOnly: true, isWithoutCache: true, startsThread: true });

export const verify: Verb = Object.freeze({
  words: ['verify'],
  operands: '[id...]',
  summary: 'read snapshots back and check every byte',
  description:
    'Walks snapshots (all of them when none is named), makes sure that everything they need is ' +
    'there, and reads files back. The exit status is 1 when something is wrong.',
  options: [{ flags: '--read-percent <n>', text: 'share of the files whose bytes are read (100)' }],
  examples: [
    { command: 'stevedore verify', text: 'everything' },
    { command: 'stevedore verify latest', text: 'the newest snapshot' },
    {
      command: 'stevedore verify --read-percent 5',
      text: 'quick: everything is there, some is read',
    },
  ],
  prepare: (operands, options) => {
    const request = verifyRequest(operands, options);
    return session =>
      session.withRepository(MODE, async repository => {
        const outcome = await session.withProgress(onProgress =>
          session.engine.verify(repository, request, { signal: session.signal, onProgress }),
        );
        await session.output.report(outcome, () => renderVerify(outcome));
        return outcome.problems.length === 0 ? EXIT.done : EXIT.failed;
      });
  },
} satisfies Verb);
