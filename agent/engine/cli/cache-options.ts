// What the command line and the environment say about the cache, and opening it for one run. A
// cache that cannot be had is a notice: the command does its work without it.

import type { CacheEvent, CacheSettings } from '#engine/cache/cache-settings.ts';
import { isEngineError, messageOf } from '#engine/base/errors.ts';
import {
  isSet,
  optionalText,
  parsePercent,
  parseSize,
  usageError,
  type OptionValues,
} from './option-values.ts';
import { safeText } from './terminal-text.ts';
import type { Engine, OptionRow } from './verb.ts';

export const CACHE_OPTIONS: readonly OptionRow[] = Object.freeze([
  { flags: '--cache-dir <dir>', text: 'directory for a cache (STEVEDORE_CACHE_DIR; none)' },
  {
    flags: '--cache-limit <size>',
    text: 'what it may take, such as 20GiB or 10% of the disk (STEVEDORE_CACHE_LIMIT)',
  },
  {
    flags: '--cache-allow-root-disk',
    text: 'also on the disk of / (STEVEDORE_CACHE_ALLOW_ROOT_DISK=1)',
  },
  {
    flags: '--kubelet-config <path>',
    text: "whose eviction lines hold (STEVEDORE_KUBELET_CONFIG; the node's, where it can be read)",
  },
  {
    flags: '--node-name <name>',
    text: "whose part of the directory: an agent's (NODE_NAME; none)",
  },
]);

export type CacheChoice = Pick<
  CacheSettings,
  'directory' | 'node' | 'absoluteBytes' | 'share' | 'isRootDiskAllowed' | 'kubeletConfiguration'
>;

type Environment = Readonly<Record<string, string | undefined>>;
type Cache = Awaited<ReturnType<Engine['Cache']['open']>>;

/**
 * Undefined where no directory is named.
 * @throws USAGE
 */
export function cacheChoice(
  options: OptionValues,
  environment: Environment,
): CacheChoice | undefined {
  const directory = optionalText(options, 'cacheDir') ?? unlessEmpty(environment, 'DIR');
  const asked = optionalText(options, 'cacheLimit');
  const limit = asked ?? unlessEmpty(environment, 'LIMIT');
  const what = asked === undefined ? 'STEVEDORE_CACHE_LIMIT' : '--cache-limit';
  const bounds = limit === undefined ? {} : parseCacheLimit(limit, what);
  if (directory === undefined) {
    if (asked === undefined) return undefined;
    throw usageError('--cache-limit is of no use without a cache; give --cache-dir DIR as well');
  }
  const isRootDiskAllowed =
    isSet(options, 'cacheAllowRootDisk') || unlessEmpty(environment, 'ALLOW_ROOT_DISK') === '1';
  const kubeletConfiguration =
    optionalText(options, 'kubeletConfig') ?? (environment.STEVEDORE_KUBELET_CONFIG || undefined);
  // As the agent has it, so that within its pod its cache is the one that is meant.
  const node = optionalText(options, 'nodeName') ?? (environment.NODE_NAME || undefined);
  return { directory, node, ...bounds, isRootDiskAllowed, kubeletConfiguration };
}

/** `20GiB`, or `10%` of the file system. */
export function parseCacheLimit(
  text: string,
  what: string,
): Pick<CacheSettings, 'absoluteBytes' | 'share'> {
  if (!text.endsWith('%')) return { absoluteBytes: parseSize(text, what) };
  const percent = parsePercent(text, what);
  if (percent > 0) return { share: percent / 100 };
  throw usageError(`${what} is '${text}'; give more than nothing, or leave --cache-dir out`);
}

/** The cache with what earlier runs have left, or undefined after saying why not. */
export async function openCache(
  { Cache }: Pick<Engine, 'Cache'>,
  choice: CacheChoice,
  say: (text: string) => void,
): Promise<Cache | undefined> {
  const notice = cacheNotice(say);
  try {
    const cache = await Cache.open(choice, { onEvent: notice.onEvent });
    await cache.recovered();
    return cache;
  } catch (error) {
    if (!isEngineError(error, 'CACHE_LOCATION_REFUSED')) throw error;
    notice.tell(messageOf(error));
    return undefined;
  }
}

/** Says why there is no cache, each reason once. */
function cacheNotice(say: (text: string) => void): {
  tell: (reason: string) => void;
  onEvent: (event: CacheEvent) => void;
} {
  const told = new Set<string>();
  const tell = (reason: string): void => {
    if (told.has(reason)) return;
    told.add(reason);
    say(`stevedore: going on without a cache: ${safeText(reason)}\n`);
  };
  const onEvent = (event: CacheEvent): void => {
    if (event.kind === 'unavailable') tell(event.reason);
    if (event.kind === 'eviction lines' && event.origin.includes(' cannot be read: ')) {
      say(`stevedore: eviction lines of the cache: ${safeText(event.origin)}\n`);
    }
  };
  return { tell, onEvent };
}

function unlessEmpty(environment: Environment, name: string): string | undefined {
  const value = environment[`STEVEDORE_CACHE_${name}`];
  return value === '' ? undefined : value;
}
