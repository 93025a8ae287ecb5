// stevedore cache info

import type { CacheChoice } from './cache-options.ts';
import { EXIT } from './exit-status.ts';
import { usageError } from './option-values.ts';
import { counted, formatBytes, formatCount, formatShare } from './quantity.ts';
import { renderFields, renderTable } from './table.ts';
import { safeText } from './terminal-text.ts';
import type { Engine, Session, Verb } from './verb.ts';

/** A file system may be shared by as many as there are. */
const NODES_SHOWN_MAX = 20;

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
    ...strangerFields(info),
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
    ['orphaned', shareText(info.orphaned)],
    ...(info.noted ? notedFields(info.noted) : []),
  ]);
  const { repositories } = info;
  if (repositories.length === 0) return `Cache\n\n${fields}`;
  const table = renderTable<CacheDescription['repositories'][number]>(
    [
      { title: 'REPOSITORY', text: ({ key, name }) => (name === undefined ? key : safeText(name)) },
      { title: 'ENTRIES', isRight: true, text: ({ entries }) => formatCount(entries) },
      { title: 'SIZE', isRight: true, text: ({ bytes }) => formatBytes(bytes) },
      { title: 'VISITED', text: visitText },
    ],
    repositories,
  );
  return `Cache\n\n${fields}\n${table}`;
}

/** What takes room and is no entry: in the directory, and beside it. */
function strangerFields({ foreignBytes, siblings }: CacheDescription): [string, string][] {
  const fields = siblings.map(({ directory, bytes, isHeld }): [string, string] => [
    'beside it',
    `${safeText(directory)}, ${formatBytes(bytes)}, ${isHeld ? 'in use' : 'not in use'}`,
  ]);
  return foreignBytes > 0 ? [['  of others', formatBytes(foreignBytes)], ...fields] : fields;
}

/** What the process that has it open, or had it last, has written down. */
function notedFields(noted: NonNullable<CacheDescription['noted']>): [string, string][] {
  const { hitBytes, missBytes, lastShrink } = noted;
  const total = hitBytes + missBytes;
  return [
    ['noted', safeText(noted.at)],
    ['  limit then', `${formatBytes(noted.limit.amount)} (${safeText(noted.limit.reason)})`],
    ['  reserved', formatBytes(noted.reservedBytes)],
    ['  pinned', `${formatBytes(noted.pinnedBytes)}, which running restores will read`],
    [
      '  hits',
      `${formatBytes(hitBytes)} of ${formatBytes(total)} (${formatShare(hitBytes, total)})`,
    ],
    [
      '  last shrink',
      lastShrink
        ? `${formatBytes(lastShrink.fromBytes)} to ${formatBytes(lastShrink.toBytes)} ` +
          `(${safeText(lastShrink.reason)}), ${lastShrink.at}`
        : 'none',
    ],
  ];
}

function visitText({ isOrphan, unvisitedDays }: CacheDescription['repositories'][number]): string {
  const days = unvisitedDays === undefined ? 'not known' : `${Math.floor(unvisitedDays)} days ago`;
  const text = unvisitedDays !== undefined && unvisitedDays < 1 ? 'within a day' : days;
  return isOrphan ? `${text}, orphaned` : text;
}

function shareText({ entries, bytes }: CacheDescription['total']): string {
  return `${counted(entries, 'entry', 'entries')}, ${formatBytes(bytes)}`;
}

/** A directory that several nodes share holds a cache of each, and none without a name. */
export function noCacheText({ directory, node }: CacheChoice, nodes: readonly string[]): string {
  const ofNode = node === undefined ? '' : ` of the node ${safeText(node)}`;
  const text = `There is no cache${ofNode} in ${safeText(directory)}`;
  if (nodes.length === 0) return text;
  const names = nodes.slice(0, NODES_SHOWN_MAX).map(safeText).join(', ');
  const more = nodes.length > NODES_SHOWN_MAX ? ', …' : '';
  return `${text}, but one of each of these, for --node-name: ${names}${more}`;
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
    'process has the cache open. What only that process knows is shown as it was noted, a few ' +
    'seconds ago at most while something happens. A repository that was not used since the ' +
    'notes were lost is shown by a hash of its address, and by its address when --repo names it.',
  options: [],
  isWithoutRepository: true,
  examples: [
    { command: 'stevedore cache info --cache-dir /cache', text: 'what is there?' },
    { command: 'stevedore cache info --cache-dir /cache -o json', text: 'for a program' },
    {
      command: 'stevedore cache info --cache-dir /cache --node-name worker-1',
      text: "an agent's; within its pod NODE_NAME says which",
    },
  ],
  prepare: () => async session => {
    const cache = cacheOf(session);
    const info = await session.engine.cacheInfo(cache, session.url);
    const nodes = info ? [] : session.engine.cacheNodes(cache.directory);
    const document = info ?? { directory: cache.directory, repositories: [], nodes };
    await session.output.report(document, () =>
      info ? renderCacheInfo(info) : `${noCacheText(cache, nodes)}\n`,
    );
    return EXIT.done;
  },
} satisfies Verb);
