// Restores several times side by side through one cache, as the node's agent does.

import { Cache } from '#engine/cache/cache.ts';
import { openRepository, openStorage, restore } from '#engine/index.ts';
import type { RunningServer } from '#test/servers/start.ts';

export interface RestorerOrder {
  readonly url: string;
  readonly credentials: RunningServer['credentials'];
  readonly password: string;
  readonly directory: string;
  readonly absoluteBytes: number;
  readonly targets: readonly string[];
  readonly part?: string;
}

process.once('message', (order: RestorerOrder) => {
  void restoreAll(order).then(() => process.disconnect());
});

async function restoreAll(order: RestorerOrder): Promise<void> {
  const { directory, absoluteBytes, password, part, targets } = order;
  const settings = { directory, absoluteBytes, isRootDiskAllowed: true };
  await using cache = await Cache.open(settings);
  await cache.recovered();
  const restores = targets.map(async target => {
    const storage = await openStorage(order.url, { s3Credentials: order.credentials });
    await using repository = await openRepository({ storage, password, cache, threads: 1 });
    const snapshot = part ? `latest:/${part}` : 'latest';
    const { differences } = await restore(repository, { snapshot, target });
    if (differences.length > 0) throw new Error('the restored tree differs');
  });
  await Promise.all(restores);
}
