// One node agent in a test: followers, queues and reconcilers around a scripted mover. It can end
// as a process does that is told to, or as one that is killed.

import { readStatusRules } from '#agent/moves/crd-phases.ts';
import type { MoveAdapter } from '#agent/moves/move-adapter.ts';
import type { MoveReport, StopOptions } from '#agent/moves/move-components.ts';
import { MoveReconciler } from '#agent/moves/move-reconciler.ts';
import type { MoveObject } from '#agent/moves/objects/move-object.ts';
import type { Pod } from '#agent/moves/objects/pod.ts';
import type { StatusRules } from '#agent/moves/crd-phases.ts';
import { podVolumeBackups } from '#agent/moves/pod-volume-backups.ts';
import { podVolumeRestores } from '#agent/moves/pod-volume-restores.ts';
import { type MoveSlots, Slots } from '#agent/moves/slots.ts';
import type { VolumeMover } from '#agent/moves/volume-mover.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { Clock } from '#engine/base/clock.ts';
import { ControlLoop } from '#kube/control-loop.ts';
import { Informer } from '#kube/informer.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { ObjectKey } from '#kube/kube-object.ts';
import { keyOf } from '#kube/kube-object.ts';
import { ChangeSignal } from './change-signal.ts';

export interface SimulatedAgentParts {
  readonly client: KubeClient;
  readonly mover: VolumeMover;
  readonly nodeName?: string;
  /** The pods of the node; may change, see `look`. */
  readonly pods?: Map<ObjectKey, Pod>;
  readonly slotCount?: number;
  /** Instead of so many of this node's own. */
  readonly slots?: MoveSlots;
  readonly serverVersion?: string;
  readonly clock?: Clock;
  readonly prepareTimeoutMs?: number;
  /** Instead of what the CRDs say. */
  readonly rules?: StatusRules;
  /** For each call, at most: a timer that is due later is due then. */
  readonly requeueMsMax?: number;
}

type TestStopOptions = Omit<StopOptions, 'stopLoop'>;

const NAMESPACE = 'velero';

interface Kind {
  readonly stop: (options: TestStopOptions) => Promise<ObjectKey[]>;
  readonly look: () => void;
  readonly end: () => Promise<void>;
}

export class SimulatedAgent {
  readonly reports: MoveReport[] = [];
  /** How often a server would have been asked for its version. */
  versionAskedCount = 0;
  readonly slots: MoveSlots;
  /** Failures of `reconcile` that were tried again. */
  readonly errors: unknown[] = [];
  readonly #parts: SimulatedAgentParts;
  readonly #end = new AbortController();
  readonly #kinds: Kind[] = [];
  readonly #change = new ChangeSignal();

  private constructor(parts: SimulatedAgentParts) {
    this.#parts = parts;
    this.slots = parts.slots ?? new Slots(parts.slotCount ?? 1);
  }

  static async start(parts: SimulatedAgentParts): Promise<SimulatedAgent> {
    const agent = new SimulatedAgent(parts);
    await agent.#add(podVolumeBackups);
    await agent.#add(podVolumeRestores);
    return agent;
  }

  /**
   * Resolves with `count` reports of that type, all that there are, as soon as there are so many.
   * An object shows what was written before its writer has the answer and can tell of it.
   */
  reported(type: MoveReport['type'], count = 1): Promise<MoveReport[]> {
    return this.#change.until(() => {
      const reports = this.reports.filter(report => report.type === type);
      return reports.length >= count ? reports : undefined;
    });
  }

  /** Resolves when so many calls of `reconcile` have failed. */
  async failed(count: number): Promise<void> {
    await this.#change.until(() => (this.errors.length >= count ? true : undefined));
  }

  /** As after a change of a pod: all objects are looked at. */
  look(): void {
    for (const kind of this.#kinds) kind.look();
  }

  /** SIGTERM. Gives the keys that could not be reported. */
  async stop(options: Partial<TestStopOptions> = {}): Promise<ObjectKey[]> {
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
    const { requeueMsMax = Infinity } = this.#parts;
    const client = this.#mortalClient();
    const { signal } = this.#end;
    const query = { namespace: NAMESPACE };
    const informer = new Informer<Item>({ client }, { resource: adapter.resource, query });
    const informed = informer.run(signal);
    await informer.synced(signal);
    const rules = this.#parts.rules ?? (await readStatusRules(client, adapter.resource));
    const reconciler = new MoveReconciler<Item>(
      {
        client,
        adapter,
        objects: informer,
        site: { nodeName, pods },
        mover,
        slots: this.slots,
        rules,
        serverVersion: {
          current: async () => {
            this.versionAskedCount += 1;
            return serverVersion;
          },
        },
        clock,
        enqueue: key => loop.enqueue(key),
        report: report => this.#keep(this.reports, report),
      },
      { prepareTimeoutMs },
    );
    const loop = new ControlLoop({
      reconcile: async (key, signal) => {
        const { requeueAfterMs } = await reconciler.reconcile(key, signal);
        if (requeueAfterMs === undefined) return {};
        return { requeueAfterMs: Math.min(requeueAfterMs, requeueMsMax) };
      },
      onError: (_key, error) => this.#keep(this.errors, error),
    });
    informer.onChange(key => loop.enqueue(key));
    const look = () => {
      for (const item of informer.list()) loop.enqueue(keyOf(item));
    };
    look();
    this.#kinds.push({
      stop: options => reconciler.stop({ ...options, stopLoop: () => loop.stop() }),
      look,
      end: async () => {
        await loop.stop();
        await informed;
      },
    });
  }

  #keep<Item>(list: Item[], item: Item): void {
    list.push(item);
    this.#change.tell();
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
}
