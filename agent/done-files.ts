// Done files after the restore. A pod that goes on has seen them, and they are taken out of its
// volumes: the helper in the pod tries that too, and may not where the volume's root is not its own
// (it runs as user 1000); then every later backup would have them. A pod that waits again, because
// its node was rebooted, gets them again.

import type { Clock } from '#engine/base/clock.ts';
import type { ObjectKey } from '#kube/kube-object.ts';
import { type DoneOrder, doneOrderOf, doneOrdersOf } from '#agent/moves/done-orders.ts';
import {
  hasPassedInitContainer,
  isInitContainerRunning,
  type Pod,
} from '#agent/moves/objects/pod.ts';
import type { PodVolumeRestore } from '#agent/moves/objects/pod-volume-restore.ts';
import { RESTORE_WAIT_CONTAINER } from '#agent/moves/objects/well-known-names.ts';
import type { Log } from './log.ts';

export interface DoneFileParts {
  readonly mover: {
    tidy(order: DoneOrder, signal: AbortSignal): Promise<void>;
    /** @returns whether the file was not there */
    tellAgain(order: DoneOrder, signal: AbortSignal): Promise<boolean>;
  };
  readonly pods: { get(key: ObjectKey): Pod | undefined };
  /** Those that name the pod of that key. */
  readonly restoresOf: (pod: ObjectKey) => readonly PodVolumeRestore[];
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Volumes of pods that still wait; of more the helper's own attempt has to do. */
const FILES_MAX = 1000;
/** Pods that are looked after at once; the next change of one that is beyond asks again. */
const PODS_MAX = 1000;
/** Between two looks at what a waiting pod should find: somebody else may have taken it away. */
export const LOOK_AGAIN_MS = 30_000;

interface Watch {
  readonly uid: string;
  readonly stop: AbortController;
}

export class DoneFiles {
  readonly #parts: DoneFileParts;
  /** That are in a volume, until their pod goes on. */
  readonly #files = new Map<string, DoneOrder>();
  /** What is being done about one. */
  readonly #running = new Map<string, Promise<void>>();
  /** Pods that wait. */
  readonly #watches = new Map<ObjectKey, Watch>();

  constructor(parts: DoneFileParts) {
    this.#parts = parts;
  }

  /** It is Completed: its done file is there, and the pod may have seen it already. */
  completed(item: PodVolumeRestore): void {
    this.#add(doneOrderOf(item));
    this.podChanged(podKeyOf(doneOrderOf(item)));
  }

  /** That pod has changed, is gone, or is seen for the first time. */
  podChanged(key: ObjectKey): void {
    const pod = this.#parts.pods.get(key);
    for (const [id, order] of this.#files) {
      if (podKeyOf(order) !== key) continue;
      const isTheSame = pod?.metadata.uid === order.volume.podUid;
      if (isTheSame && !hasPassedInitContainer(pod, RESTORE_WAIT_CONTAINER)) continue;
      this.#files.delete(id);
      if (isTheSame) void this.#run(order, () => this.#tidy(order));
    }
    this.#watchOver(key, pod);
  }

  /** Resolves when nothing is being done any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  #add(order: DoneOrder): void {
    if (this.#files.size < FILES_MAX) this.#files.set(idOf(order), order);
  }

  /** From when a pod begins to wait until it does no longer. */
  #watchOver(key: ObjectKey, pod: Pod | undefined): void {
    const isWaiting = pod !== undefined && isInitContainerRunning(pod, RESTORE_WAIT_CONTAINER);
    const uid = pod?.metadata.uid ?? '';
    const known = this.#watches.get(key);
    if (isWaiting && known?.uid === uid) return;
    known?.stop.abort();
    this.#watches.delete(key);
    if (!isWaiting || this.#watches.size >= PODS_MAX) return;
    const stop = new AbortController();
    this.#watches.set(key, { uid, stop });
    void this.#whileWaiting(key, AbortSignal.any([stop.signal, this.#parts.signal]));
  }

  async #whileWaiting(key: ObjectKey, signal: AbortSignal): Promise<void> {
    const { pods, restoresOf, clock } = this.#parts;
    while (!signal.aborted) {
      const pod = pods.get(key);
      const orders = pod ? doneOrdersOf(pod, restoresOf(key)) : [];
      await Promise.all(orders.map(order => this.#run(order, () => this.#tellAgain(order))));
      // It rejects when the pod waits no longer, or the agent ends.
      await clock.sleep(LOOK_AGAIN_MS, signal).catch(() => undefined);
    }
  }

  /** One after the other for one file: what is taken away late would be missed. */
  #run(order: DoneOrder, work: () => Promise<void>): Promise<void> {
    const id = idOf(order);
    const running = (this.#running.get(id) ?? Promise.resolve()).then(work).finally(() => {
      if (this.#running.get(id) === running) this.#running.delete(id);
    });
    this.#running.set(id, running);
    return running;
  }

  async #tellAgain(order: DoneOrder): Promise<void> {
    const { mover, log, signal } = this.#parts;
    try {
      if (await mover.tellAgain(order, signal)) {
        log.info({ ...order.volume }, 'a pod is told again that its volume is restored');
      }
      this.#add(order);
    } catch (error) {
      log.warn({ ...order.volume, error }, 'a pod waits for a volume that is restored already');
    }
  }

  async #tidy(order: DoneOrder): Promise<void> {
    const { mover, log, signal } = this.#parts;
    try {
      await mover.tidy(order, signal);
    } catch (error) {
      log.warn({ ...order.volume, error }, 'the done file of a restore stays in its volume');
    }
  }
}

function idOf({ volume }: DoneOrder): string {
  return `${volume.podUid}/${volume.volume}`;
}

function podKeyOf({ volume }: DoneOrder): ObjectKey {
  return `${volume.podNamespace}/${volume.podName}`;
}
