// stevedore repo info

import { EXIT } from './exit-status.ts';
import { fieldsOf } from './field-list.ts';
import { renderFields } from './table.ts';
import type { Repository, Verb } from './verb.ts';

type RepositoryInfo = Awaited<ReturnType<Repository['info']>>;

export function renderInfo(info: RepositoryInfo): string {
  return `Repository\n\n${renderFields(fieldsOf(info))}`;
}

export const repoInfo: Verb = Object.freeze({
  words: ['repo', 'info'],
  operands: '',
  summary: 'show the format and the size of the repository',
  description: 'Shows the algorithms and the format of a repository, and how much is in it.',
  options: [],
  examples: [{ command: 'stevedore repo info --repo file:///backup', text: 'what is this?' }],
  prepare: () => session =>
    session.withRepository({ isReadOnly: true }, async repository => {
      const info = await repository.info();
      await session.output.report(info, () => renderInfo(info));
      return EXIT.done;
    }),
} satisfies Verb);
