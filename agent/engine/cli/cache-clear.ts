// stevedore cache clear

import { cacheOf } from './cache-info.ts';
import { EXIT } from './exit-status.ts';
import { optionalText } from './option-values.ts';
import { counted, formatBytes } from './quantity.ts';
import { safeText } from './terminal-text.ts';
import type { Engine, Verb } from './verb.ts';

type Cleared = Awaited<ReturnType<Engine['clearCache']>>;

export function renderCleared({ isFound, entries, bytes }: Cleared, directory: string): string {
  if (!isFound) return `There is no cache in ${safeText(directory)}; nothing was removed\n`;
  return `Removed ${counted(entries, 'entry', 'entries')}, ${formatBytes(bytes)}\n`;
}

export const cacheClear: Verb = Object.freeze({
  words: ['cache', 'clear'],
  operands: '',
  summary: 'make a cache empty',
  description:
    'Removes everything from a cache, or what is there of one repository, which need not exist ' +
    'any more and whose password is not asked for. --repo plays no part in it. Fails while a ' +
    'process has the cache open, and where the directory does not exist.',
  options: [{ flags: '--repository <url>', text: 'only what is of the repository there' }],
  isWithoutRepository: true,
  examples: [
    { command: 'stevedore cache clear --cache-dir /cache', text: 'everything' },
    {
      command: 'stevedore cache clear --cache-dir /cache --repository s3://bucket/gone',
      text: 'a repository that was deleted',
    },
  ],
  prepare: (_operands, options) => async session => {
    const cache = cacheOf(session);
    const cleared = await session.engine.clearCache(cache, optionalText(options, 'repository'));
    await session.output.report(cleared, () => renderCleared(cleared, cache.directory));
    return EXIT.done;
  },
} satisfies Verb);
