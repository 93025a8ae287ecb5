// A process that dies in the middle of its changes, without the process.

import type { KubeClient } from '#kube/kube-client.ts';

/** A client of a process that dies right after so many changes. */
export class MortalClient {
  changes = 0;
  readonly client: KubeClient;

  constructor(inner: KubeClient, changesMax: number) {
    const change = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      if (this.changes >= changesMax) throw new Error('killed');
      const result = await work();
      this.changes++;
      return result;
    };
    this.client = {
      get: (...words) => inner.get(...words),
      list: (...words) => inner.list(...words),
      watch: (...words) => inner.watch(...words),
      read: (...words) => inner.read(...words),
      create: (...words) => change(() => inner.create(...words)),
      replace: (...words) => change(() => inner.replace(...words)),
      patch: (...words) => change(() => inner.patch(...words)),
      delete: (...words) => change(() => inner.delete(...words)),
    };
  }
}

export async function dies(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (error instanceof Error && error.message === 'killed') return true;
    throw error;
  }
}
