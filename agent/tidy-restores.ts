// Takes the done file of a restore out of the volume again, once the pod has seen it. The helper in
// the pod tries that too, and may not where the volume's root is not its own (it runs as user
// 1000); then every later backup would have it.

import { keyOf, type ObjectKey } from '#kube/kube-object.ts';
import { hasPassedInitContainer, type Pod } from '#agent/moves/objects/pod.ts';
import type { PodVolumeRestore } from '#agent/moves/objects/pod-volume-restore.ts';
import { RESTORE_WAIT_CONTAINER } from '#agent/moves/objects/well-known-names.ts';
import { restoreOrderOf } from '#agent/moves/pod-volume-restores.ts';
import type { RestoreOrder } from '#agent/moves/volume-mover.ts';
import type { Log } from './log.ts';

export interface TidyParts {
  readonly mover: {
    tidy(order: Pick<RestoreOrder, 'volume' | 'doneFile'>, signal: AbortSignal): Promise<void>;
  };
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Restores of this process whose pods still wait; of more the helper's own attempt has to do. */
const RESTORES_MAX = 1000;

export class TidyRestores {
  readonly #parts: TidyParts;
  readonly #restores = new Map<string, PodVolumeRestore>();
  readonly #running = new Set<Promise<void>>();

  constructor(parts: TidyParts) {
    this.#parts = parts;
  }

  /** It is Completed: its done file is there, and the pod may have seen it already. */
  add(item: PodVolumeRestore, pods: { get(key: ObjectKey): Pod | undefined }): void {
    const { uid } = item.metadata;
    if (uid === undefined || this.#restores.size >= RESTORES_MAX) return;
    this.#restores.set(uid, item);
    const { namespace, name } = item.spec.pod;
    const key = `${namespace}/${name}`;
    this.podChanged(key, pods.get(key));
  }

  /** That pod has changed, or is gone. */
  podChanged(key: ObjectKey, pod: Pod | undefined): void {
    for (const [uid, item] of this.#restores) {
      const { pod: wanted } = item.spec;
      if (`${wanted.namespace}/${wanted.name}` !== key) continue;
      const isTheSame = pod?.metadata.uid === wanted.uid;
      if (isTheSame && !hasPassedInitContainer(pod, RESTORE_WAIT_CONTAINER)) continue;
      this.#restores.delete(uid);
      if (isTheSame) this.#tidy(item);
    }
  }

  /** Resolves when nothing is being removed any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  #tidy(item: PodVolumeRestore): void {
    const { mover, log, signal } = this.#parts;
    const removing = mover
      .tidy(restoreOrderOf(item), signal)
      .catch((error: unknown) => {
        log.warn({ move: keyOf(item), error }, 'the done file of a restore stays in its volume');
      })
      .finally(() => this.#running.delete(removing));
    this.#running.add(removing);
  }
}
