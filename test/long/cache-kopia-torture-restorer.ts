// Restores through a cache of ours, several at a time, as long as it is told to, and changes the
// limit meanwhile.

import { rmSync } from 'node:fs';
import { Cache } from '#engine/cache/cache.ts';
import { openRepository, openStorage, restore } from '#engine/index.ts';
import { MIB } from '#test/engine/cache/scratch-cache.ts';
import type { RunningServer } from '#test/servers/start.ts';

export type TortureOrder =
  | {
      readonly kind: 'run';
      readonly url: string;
      readonly credentials: RunningServer['credentials'];
      readonly password: string;
      readonly limitMib: number;
      readonly target: string;
    }
  | { readonly kind: 'limit'; readonly limitMib: number }
  /** Answered when all limits are in force. */
  | { readonly kind: 'settle' };

type RunOrder = Extract<TortureOrder, { kind: 'run' }>;
type Repository = Awaited<ReturnType<typeof openRepository>>;

export interface TortureAnswer {
  readonly isRight: boolean;
}

/** Each has four requests under way. */
const RESTORES = 8;
const [directory = ''] = process.argv.slice(2);
let cache: Cache | undefined;
let opening: Promise<Repository> | undefined;
let changing = Promise.resolve();

process.on('disconnect', () => process.exit());
process.on('message', (order: TortureOrder) => {
  if (order.kind === 'settle') changing = changing.then(() => answer({ isRight: true }));
  else changing = changing.then(() => limitTo(order.limitMib * MIB));
  if (order.kind === 'run') changing = changing.then(() => void run(order));
});

function answer(said: TortureAnswer): void {
  process.send?.(said);
}

async function limitTo(absoluteBytes: number): Promise<void> {
  if (cache) await cache.change({ absoluteBytes });
  else cache = await Cache.open({ directory, isRootDiskAllowed: true, absoluteBytes });
}

/** Once, as an agent does. */
async function open({ url, credentials, password }: RunOrder): Promise<Repository> {
  const storage = await openStorage(url, { s3Credentials: credentials });
  return openRepository({ storage, password, cache, threads: 2 });
}

async function run(order: RunOrder): Promise<void> {
  const repository = await (opening ??= open(order));
  const restores = Array.from({ length: RESTORES }, async (_, index) => {
    const target = `${order.target}/${index}`;
    const { differences } = await restore(repository, { snapshot: 'latest', target });
    rmSync(target, { recursive: true });
    return differences.length === 0;
  });
  const outcomes = await Promise.allSettled(restores);
  const isRight = outcomes.every(each => each.status === 'fulfilled' && each.value);
  answer({ isRight });
}
