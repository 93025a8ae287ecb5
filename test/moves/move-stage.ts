// Where a scenario plays: an API server with Velero's CRDs, emulated or real, in which it makes
// objects, starts agents and looks at every version that an object has had.

import type { Test } from 'tap';
import type { MoveObject, MoveStatus } from '#agent/moves/objects/move-object.ts';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import type { PodVolumeBackup } from '#agent/moves/objects/pod-volume-backup.ts';
import { POD_VOLUME_RESTORES } from '#agent/moves/objects/pod-volume-restore.ts';
import type { PodVolumeRestore } from '#agent/moves/objects/pod-volume-restore.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { Resource } from '#kube/kube-object.ts';
import { keyOf } from '#kube/kube-object.ts';
import { Follower } from './follow.ts';
import { ScriptedMover } from './scripted-mover.ts';
import { SimulatedAgent } from './simulated-agent.ts';
import type { SimulatedAgentParts } from './simulated-agent.ts';
import { newBackup, newRestore } from './velero-objects.ts';
import type { BackupOptions, RestoreOptions } from './velero-objects.ts';

export type VeleroVersion = '1.16' | '1.17' | '1.18';

export interface MoveWorld {
  readonly client: KubeClient;
  /** Of the CRDs. */
  readonly velero: VeleroVersion;
}

export interface MoveScenario {
  /** A sentence that is true. */
  readonly title: string;
  /** All versions where it is absent. */
  readonly since?: '1.17' | '1.18';
  readonly play: (t: Test, stage: MoveStage) => Promise<void>;
}

export class MoveStage {
  readonly client: KubeClient;
  readonly velero: VeleroVersion;
  readonly backups: Follower<PodVolumeBackup>;
  readonly restores: Follower<PodVolumeRestore>;
  /** `PodVolumeBackup New Accepted`: of all objects. */
  readonly transitions = new Set<string>();
  readonly #agents: SimulatedAgent[] = [];
  readonly #history = new Map<string, MoveStatus[]>();

  constructor({ client, velero }: MoveWorld) {
    this.client = client;
    this.velero = velero;
    this.backups = this.#follow<PodVolumeBackup>(POD_VOLUME_BACKUPS);
    this.restores = this.#follow<PodVolumeRestore>(POD_VOLUME_RESTORES);
  }

  /** False for 1.16. */
  get hasEightPhases(): boolean {
    return this.velero !== '1.16';
  }

  async agent(parts: Partial<SimulatedAgentParts> = {}): Promise<SimulatedAgent> {
    const mover = parts.mover ?? new ScriptedMover();
    const agent = await SimulatedAgent.start({ client: this.client, ...parts, mover });
    this.#agents.push(agent);
    return agent;
  }

  backup(options: BackupOptions = {}): Promise<PodVolumeBackup> {
    return this.client.create(POD_VOLUME_BACKUPS, newBackup(options));
  }

  restore(options: RestoreOptions = {}): Promise<PodVolumeRestore> {
    return this.client.create(POD_VOLUME_RESTORES, newRestore(options));
  }

  cancel(item: MoveObject): Promise<MoveObject> {
    const { namespace, name } = item.metadata;
    const body = { spec: { cancel: true } };
    return this.client.patch(resourceOf(item), { namespace, name }, { type: 'merge', body });
  }

  delete(item: MoveObject): Promise<void> {
    const { namespace, name } = item.metadata;
    return this.client.delete(resourceOf(item), { namespace, name });
  }

  /** The object as it is when its phase is one of `phases`. */
  async until<Item extends MoveObject>(item: Item, ...phases: string[]): Promise<Item> {
    const follower = this.#followerOf(item);
    const found = await follower.until(() => {
      const now = follower.get(keyOf(item));
      return now && phases.includes(now.status?.phase ?? 'New') ? now : undefined;
    });
    // Followers of a kind hold objects of that kind.
    return found as MoveObject as Item;
  }

  async untilGone(item: MoveObject): Promise<void> {
    const follower = this.#followerOf(item);
    await follower.until(() => (follower.get(keyOf(item)) ? undefined : true));
  }

  /** As it is on the server. */
  read<Item extends MoveObject>(item: Item): Promise<Item> {
    const { namespace, name } = item.metadata;
    return this.client.get<Item>(resourceOf(item), { namespace, name });
  }

  /** Every status that it has had, the first one included. */
  historyOf(item: MoveObject): readonly MoveStatus[] {
    return this.#history.get(item.metadata.uid ?? '') ?? [];
  }

  /** Its phases in order, each once in a row. */
  phasesOf(item: MoveObject): string[] {
    const phases = this.historyOf(item).map(({ phase = 'New' }) => phase);
    return phases.filter((phase, index) => phase !== phases[index - 1]);
  }

  async end(): Promise<void> {
    for (const agent of this.#agents) await agent.kill();
    for (const follower of [this.backups, this.restores]) {
      for (const item of follower.objects.values()) await this.#remove(item);
      await follower.stop();
    }
  }

  async #remove(item: MoveObject): Promise<void> {
    const { namespace, name } = item.metadata;
    const body = { metadata: { finalizers: null } };
    await this.client.patch(resourceOf(item), { namespace, name }, { type: 'merge', body });
    if (item.metadata.deletionTimestamp === undefined) await this.delete(item);
  }

  #follow<Item extends MoveObject>(resource: Resource): Follower<Item> {
    const follower = new Follower<Item>(this.client, resource, 'velero');
    follower.onChange(key => {
      const item = follower.get(key);
      const uid = item?.metadata.uid;
      if (item === undefined || uid === undefined) return;
      const history = this.#history.get(uid) ?? [];
      const { phase: before = 'New' } = history.at(-1) ?? item.status ?? {};
      const { phase = 'New' } = item.status ?? {};
      if (phase !== before) this.transitions.add(`${resource.kind} ${before} ${phase}`);
      this.#history.set(uid, [...history, item.status ?? {}]);
    });
    return follower;
  }

  #followerOf(item: MoveObject): Follower<PodVolumeBackup> | Follower<PodVolumeRestore> {
    return item.kind === 'PodVolumeBackup' ? this.backups : this.restores;
  }
}

function resourceOf(item: MoveObject): Resource {
  return item.kind === 'PodVolumeBackup' ? POD_VOLUME_BACKUPS : POD_VOLUME_RESTORES;
}

/**
 * Plays all scenarios of that version, one after the other, in one world.
 * @returns the transitions that were seen, sorted
 */
export async function playAll(
  t: Test,
  world: MoveWorld,
  scenarios: readonly MoveScenario[],
): Promise<string[]> {
  const transitions = new Set<string>();
  for (const { title, since, play } of scenarios) {
    if (since !== undefined && world.velero < since) continue;
    await t.test(title, async t => {
      const stage = new MoveStage(world);
      await Promise.all([stage.backups.synced, stage.restores.synced]);
      try {
        await play(t, stage);
      } finally {
        await stage.end();
      }
      for (const one of stage.transitions) transitions.add(one);
    });
  }
  return [...transitions].sort();
}
