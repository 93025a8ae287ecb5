// stevedore cache info

import { EXIT } from './exit-status.ts';
import { usageError } from './option-values.ts';
import { counted, formatBytes, formatCount, formatShare } from './quantity.ts';
import { renderFields, renderTable } from './table.ts';
import { safeText } from './terminal-text.ts';
import type { Engine, Session, Verb } from './verb.ts';

export type CacheDescription = NonNullable<Awaited<ReturnType<Engine['cacheInfo']>>>;

export function renderCacheInfo(info: CacheDescription): string {
  const { limit, total, kinds, usedBytes, distanceToLineBytes } = info;
  const fields = renderFields([
    ['directory', safeText(info.directory)],
    ['location', info.location ?? 'not known'],
    ['in use', info.isHeld ? 'by a process that runs now' : 'no'],
    ['limit', `${formatBytes(limit.bytes.amount)} (${limit.bytes.reason})`],
    ['files', `${formatCount(limit.inodes.amount)} at most (${limit.inodes.reason})`],
    [
      'used',
      `${formatBytes(usedBytes)} (${formatShare(usedBytes, limit.bytes.amount)}), ` +
        counted(info.usedInodes, 'file'),
    ],
    ['free disk', formatBytes(info.freeBytes)],
    [
      'eviction line',
      distanceToLineBytes === undefined
        ? 'none applies here'
        : `${formatBytes(distanceToLineBytes)} away (${safeText(info.linesFrom ?? '')})`,
    ],
    ['entries', shareText(total)],
    ['  index', shareText(kinds.index)],
    ['  metadata', shareText(kinds.metadata)],
    ['  data', shareText(kinds.data)],
  ]);
  const { repositories } = info;
  if (repositories.length === 0) return `Cache\n\n${fields}`;
  const table = renderTable<CacheDescription['repositories'][number]>(
    [
      { title: 'REPOSITORY', text: ({ key, name }) => (name === undefined ? key : safeText(name)) },
      { title: 'ENTRIES', isRight: true, text: ({ entries }) => formatCount(entries) },
      { title: 'SIZE', isRight: true, text: ({ bytes }) => formatBytes(bytes) },
    ],
    repositories,
  );
  return `Cache\n\n${fields}\n${table}`;
}

function shareText({ entries, bytes }: CacheDescription['total']): string {
  return `${counted(entries, 'entry', 'entries')}, ${formatBytes(bytes)}`;
}

/** @throws USAGE */
export function cacheOf({ cache }: Session): NonNullable<Session['cache']> {
  if (cache) return cache;
  throw usageError('no cache is named; give --cache-dir DIR, or set STEVEDORE_CACHE_DIR');
}

export const cacheInfo: Verb = Object.freeze({
  words: ['cache', 'info'],
  operands: '',
  summary: 'show what a cache holds and how large it may get',
  description:
    'Shows the limit of a cache with its reason, what it takes, how far its disk is from the ' +
    "kubelet's eviction line, and what is in it. Changes nothing, and may be used while a " +
    'process has the cache open. The cache does not store addresses: a repository is shown by ' +
    'a hash of its address, and by its address when --repo names it.',
  options: [],
  isWithoutRepository: true,
  examples: [
    { command: 'stevedore cache info --cache-dir /cache', text: 'what is there?' },
    { command: 'stevedore cache info --cache-dir /cache -o json', text: 'for a program' },
  ],
  prepare: () => async session => {
    const cache = cacheOf(session);
    const info = await session.engine.cacheInfo(cache, session.url);
    const document = info ?? { directory: cache.directory, repositories: [] };
    await session.output.report(document, () =>
      info ? renderCacheInfo(info) : `There is no cache in ${safeText(cache.directory)}\n`,
    );
    return EXIT.done;
  },
} satisfies Verb);
