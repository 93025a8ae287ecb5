// stevedore cache clear

import { cacheOf, noCacheText } from './cache-info.ts';
import type { CacheChoice } from './cache-options.ts';
import { EXIT } from './exit-status.ts';
import { optionalText } from './option-values.ts';
import { counted, formatBytes } from './quantity.ts';
import type { Engine, Verb } from './verb.ts';

type Cleared = Awaited<ReturnType<Engine['clearCache']>>;

export function renderCleared(
  { isFound, entries, bytes }: Cleared,
  cache: CacheChoice,
  nodes: readonly string[],
): string {
  if (!isFound) return `${noCacheText(cache, nodes)}; nothing was removed\n`;
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
    const nodes = cleared.isFound ? [] : session.engine.cacheNodes(cache.directory);
    await session.output.report(cleared, () => renderCleared(cleared, cache, nodes));
    return EXIT.done;
  },
} satisfies Verb);
