// One node agent in a test: followers, queues and reconcilers around a scripted mover. It can end
// as a process does that is told to, or as one that is killed.

import { setImmediate } from 'node:timers/promises';
import { readStatusRules } from '#agent/moves/crd-phases.ts';
import type { MoveAdapter } from '#agent/moves/move-adapter.ts';
import type { MoveReport, StopOptions } from '#agent/moves/move-components.ts';
import { MoveReconciler } from '#agent/moves/move-reconciler.ts';
import type { MoveObject } from '#agent/moves/objects/move-object.ts';
import type { Pod } from '#agent/moves/objects/pod.ts';
import type { StatusRules } from '#agent/moves/crd-phases.ts';
import { podVolumeBackups } from '#agent/moves/pod-volume-backups.ts';
import { podVolumeRestores } from '#agent/moves/pod-volume-restores.ts';
import { Slots } from '#agent/moves/slots.ts';
import type { VolumeMover } from '#agent/moves/volume-mover.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { ObjectKey } from '#kube/kube-object.ts';
import { Follower } from './follow.ts';

export interface SimulatedAgentParts {
  readonly client: KubeClient;
  readonly mover: VolumeMover;
  readonly nodeName?: string;
  /** The pods of the node; may change, see `look`. */
  readonly pods?: Map<ObjectKey, Pod>;
  readonly slotCount?: number;
  readonly serverVersion?: string;
  readonly clock?: Clock;
  readonly prepareTimeoutMs?: number;
  /** Instead of what the CRDs say. */
  readonly rules?: StatusRules;
  /** For each call, at most: a timer that is due later is due then. */
  readonly requeueMsMax?: number;
}

const NAMESPACE = 'velero';
const RETRY_MS = 5;

interface Kind {
  readonly stop: (options: StopOptions) => Promise<ObjectKey[]>;
  readonly look: () => void;
  readonly end: () => Promise<void>;
}

export class SimulatedAgent {
  readonly reports: MoveReport[] = [];
  readonly slots: Slots;
  /** Failures of `reconcile` that were tried again. */
  readonly errors: unknown[] = [];
  readonly #parts: SimulatedAgentParts;
  readonly #end = new AbortController();
  readonly #kinds: Kind[] = [];

  private constructor(parts: SimulatedAgentParts) {
    this.#parts = parts;
    this.slots = new Slots(parts.slotCount ?? 1);
  }

  static async start(parts: SimulatedAgentParts): Promise<SimulatedAgent> {
    const agent = new SimulatedAgent(parts);
    await agent.#add(podVolumeBackups);
    await agent.#add(podVolumeRestores);
    return agent;
  }

  /** As after a change of a pod: all objects are looked at. */
  look(): void {
    for (const kind of this.#kinds) kind.look();
  }

  /** SIGTERM. Gives the keys that could not be reported. */
  async stop(options: Partial<StopOptions> = {}): Promise<ObjectKey[]> {
    const all = { graceMs: 2000, hasSuccessor: false, ...options };
    const unreported = await Promise.all(this.#kinds.map(kind => kind.stop(all)));
    await this.kill();
    return unreported.flat();
  }

  /** SIGKILL: nothing is written any more. */
  async kill(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#kinds.map(kind => kind.end()));
  }

  async #add<Item extends MoveObject>(adapter: MoveAdapter<Item>): Promise<void> {
    const { mover, nodeName = 'worker-1', pods = new Map<ObjectKey, Pod>() } = this.#parts;
    const { clock = systemClock, serverVersion, prepareTimeoutMs = 1_800_000 } = this.#parts;
    const client = this.#mortalClient();
    const follower = new Follower<Item>(client, adapter.resource, NAMESPACE);
    await follower.synced;
    const rules = this.#parts.rules ?? (await readStatusRules(client, adapter.resource));
    const reconciler = new MoveReconciler<Item>(
      {
        client,
        adapter,
        objects: follower,
        site: { nodeName, pods },
        mover,
        slots: this.slots,
        rules,
        serverVersion: { current: async () => serverVersion },
        clock,
        enqueue: key => this.#enqueue(reconciler, key),
        report: report => this.reports.push(report),
      },
      { prepareTimeoutMs },
    );
    follower.onChange(key => this.#enqueue(reconciler, key));
    const look = () => {
      for (const key of follower.objects.keys()) this.#enqueue(reconciler, key);
    };
    look();
    this.#kinds.push({
      stop: options => reconciler.stop(options),
      look,
      end: () => follower.stop(),
    });
  }

  /** What a process that was killed has not sent is never sent. */
  #mortalClient(): KubeClient {
    const { client } = this.#parts;
    const alive = async <Value>(work: () => Promise<Value>): Promise<Value> => {
      this.#end.signal.throwIfAborted();
      return work();
    };
    return {
      get: (...of) => alive(() => client.get(...of)),
      list: (...of) => alive(() => client.list(...of)),
      create: (...of) => alive(() => client.create(...of)),
      replace: (...of) => alive(() => client.replace(...of)),
      patch: (...of) => alive(() => client.patch(...of)),
      delete: (...of) => alive(() => client.delete(...of)),
      read: (...of) => alive(() => client.read(...of)),
      watch: (...of) => client.watch(...of),
    };
  }

  #enqueue<Item extends MoveObject>(reconciler: MoveReconciler<Item>, key: ObjectKey): void {
    void this.#reconcile(reconciler, key);
  }

  async #reconcile<Item extends MoveObject>(
    reconciler: MoveReconciler<Item>,
    key: ObjectKey,
  ): Promise<void> {
    await setImmediate();
    if (this.#end.signal.aborted) return;
    try {
      const { requeueAfterMs } = await reconciler.reconcile(key);
      if (requeueAfterMs === undefined) return;
      this.#later(reconciler, key, Math.min(requeueAfterMs, this.#parts.requeueMsMax ?? Infinity));
    } catch (error) {
      if (this.#end.signal.aborted) return;
      if (!isEngineError(error)) throw error;
      this.errors.push(error);
      this.#later(reconciler, key, RETRY_MS);
    }
  }

  #later<Item extends MoveObject>(
    reconciler: MoveReconciler<Item>,
    key: ObjectKey,
    ms: number,
  ): void {
    const { signal } = this.#end;
    void systemClock.sleep(ms, signal).then(
      () => this.#enqueue(reconciler, key),
      () => undefined,
    );
  }
}
