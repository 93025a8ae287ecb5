// Tells whoever keeps something of a repository when its BackupRepository is gone, or another one
// stands under its name.

import { Informer, type InformerParts } from '#kube/informer.ts';
import type { ObjectKey } from '#kube/kube-object.ts';
import { type BackupRepository, REPOSITORIES } from '#agent/repositories/repository-objects.ts';

export interface GoneRepositoriesParts extends InformerParts {
  /** Velero's. */
  readonly namespace: string;
  /** Must not reject. */
  readonly forget: (gone: BackupRepository, signal: AbortSignal) => Promise<void>;
  /** Phases of one that has come, has changed or has gone; '' where it has none yet. */
  readonly onPhase?: (before: string | undefined, now: string | undefined) => void;
}

/** Follows until it is disposed of, and then ends what goes on. */
export function followGoneRepositories(parts: GoneRepositoriesParts): AsyncDisposable {
  const end = new AbortController();
  const following = follow(parts, end.signal);
  return {
    async [Symbol.asyncDispose]() {
      end.abort();
      await following;
    },
  };
}

async function follow(parts: GoneRepositoriesParts, signal: AbortSignal): Promise<void> {
  const query = {
    namespace: parts.namespace,
    labelSelector: 'velero.io/repository-type=kopia',
  };
  const informer = new Informer<BackupRepository>(parts, { resource: REPOSITORIES, query });
  /** As they were last. */
  const known = new Map<ObjectKey, BackupRepository>();
  let forgetting = Promise.resolve();
  informer.onChange(key => {
    const before = known.get(key);
    const now = informer.get(key);
    if (now === undefined) known.delete(key);
    else known.set(key, now);
    parts.onPhase?.(before && phaseOf(before), now && phaseOf(now));
    if (before === undefined || before.metadata.uid === now?.metadata.uid) return;
    forgetting = forgetting.then(() => parts.forget(before, signal));
  });
  await informer.run(signal);
  await forgetting;
}

function phaseOf({ status }: BackupRepository): string {
  return status?.phase ?? '';
}
