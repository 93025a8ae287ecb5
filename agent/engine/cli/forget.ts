// stevedore forget ID…

import { EXIT } from './exit-status.ts';
import { isSet, parseWholeSnapshot } from './option-values.ts';
import { counted } from './quantity.ts';
import { safeText } from './terminal-text.ts';
import type { Verb } from './verb.ts';

export function renderForgotten(ids: readonly string[], isDryRun: boolean): string {
  const title = `${isDryRun ? 'Would forget' : 'Forgot'} ${counted(ids.length, 'snapshot')}`;
  const after = isDryRun
    ? 'Nothing was changed; leave --dry-run out to do it.\n'
    : 'The space comes back with the next full maintenance of the repository.\n';
  return `${title}\n${ids.map(id => `  ${safeText(id)}\n`).join('')}\n${after}`;
}

export const forget: Verb = Object.freeze({
  words: ['forget'],
  operands: '<id...>',
  summary: 'take snapshots out of the list',
  description:
    'Removes snapshots. Their bytes stay until full maintenance finds that no other snapshot ' +
    'needs them, which it does no sooner than a day later.',
  options: [{ flags: '--dry-run', text: 'only show which snapshots are meant' }],
  examples: [
    { command: 'stevedore forget 3f9a0c12 --dry-run', text: 'look first' },
    { command: 'stevedore forget 3f9a0c12 77b1d0aa', text: 'two snapshots' },
  ],
  prepare: (operands, options) => {
    operands.forEach(parseWholeSnapshot);
    const isDryRun = isSet(options, 'dryRun');
    return session =>
      session.withRepository({ isReadOnly: isDryRun }, async repository => {
        const { engine, signal } = session;
        const references = new Set<string>();
        for (const operand of operands) {
          // Whole ids for what is only shown, and for `latest`, which names no manifest.
          const isId = operand !== 'latest' && !isDryRun;
          references.add(isId ? operand : (await engine.resolveSnapshot(repository, operand)).id);
        }
        const ids = isDryRun
          ? [...references]
          : await engine.forgetSnapshots(repository, [...references], { signal });
        const document = { forgotten: isDryRun ? [] : ids, matched: ids };
        await session.output.report(document, () => renderForgotten(ids, isDryRun));
        return EXIT.done;
      });
  },
} satisfies Verb);
