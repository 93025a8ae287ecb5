// Exposes a snapshot of CSI as a volume that is mounted on some node, and takes all of it away
// again: looks at what there is, does the one step that follows, and looks again (docs/adr/0024).

import { CLAIMS, PODS } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import { ClusterObjects } from './cluster-objects.ts';
import { isOfMove, isStockContent, isStockSnapshot } from './left-by-stock.ts';
import { isMadeFor, isInTheWay } from './made-for.ts';
import {
  type HolderPod,
  SNAPSHOT_CONTENTS,
  SNAPSHOTS,
  type VolumeClaim,
  type VolumeSnapshot,
  type VolumeSnapshotContent,
} from './exposed-objects.ts';
import { type ExposedParts, type ExposureStep, nextExposure } from './exposure.ts';
import type { Exposure } from './holder-state.ts';
import {
  type ClaimSettings,
  type ExposedMove,
  type HolderSettings,
  makeClaim,
  makeContent,
  makeHolder,
  makeSnapshot,
} from './made-objects.ts';
import { nextWithdrawal, type Withdrawal, type WithdrawnParts } from './withdrawal.ts';

/** A move, and the snapshot that it is about. */
export interface SnapshotMove extends ExposedMove {
  /** Of the application. */
  readonly sourceNamespace: string;
  readonly sourceSnapshot: string;
  readonly sourceClaim: string;
  /** The Backup that the snapshot was made for; others are somebody's own, and stay. */
  readonly backupName: string;
  readonly holder: HolderSettings;
  readonly claim: Omit<ClaimSettings, 'size' | 'mode'>;
}

const BACKUP_LABEL = 'velero.io/backup-name';
/** More than there are; what comes after them waits for its next turn. */
const STEPS_MAX = 12;

export class SnapshotExposer {
  readonly #objects: ClusterObjects;

  constructor(client: KubeClient) {
    this.#objects = new ClusterObjects(client);
  }

  /**
   * As far as it goes now. What is there of that name and was not made for this move is left alone.
   * @throws KUBE_FORBIDDEN, KUBE_UNAVAILABLE, KUBE_INVALID, …: call again later
   */
  async expose(move: SnapshotMove, signal?: AbortSignal): Promise<Exposure> {
    const source = `${move.sourceNamespace}/${move.sourceSnapshot}`;
    for (let count = 0; count < STEPS_MAX; count++) {
      const parts = await this.#exposedParts(move, signal);
      const foreign = madeParts(parts).find(part => !isMadeFor(part, move));
      if (foreign) return { type: 'hopeless', message: isInTheWay(foreign) };
      const step = nextExposure(parts, source);
      if (step.type === 'wait' || step.type === 'exposed' || step.type === 'hopeless') return step;
      await this.#make(step, move, parts, signal);
    }
    return { type: 'wait', missing: 'an end of changes by somebody else' };
  }

  /**
   * As far as it goes now; the last call returns `withdrawn`.
   * @throws as expose
   */
  async withdraw(move: SnapshotMove, signal?: AbortSignal): Promise<Withdrawal> {
    for (let count = 0; count < STEPS_MAX; count++) {
      const step = nextWithdrawal(await this.#withdrawnParts(move, signal));
      if (step.type === 'wait' || step.type === 'withdrawn') return step;
      await this.#objects.takeAway(step, signal);
    }
    return { type: 'wait', leaving: 'what somebody else makes again' };
  }

  async #make(
    step: Exclude<ExposureStep, Exposure>,
    move: SnapshotMove,
    { source, sourceVolume }: ExposedParts,
    signal?: AbortSignal,
  ): Promise<void> {
    switch (step.type) {
      case 'make-content':
        return this.#objects.create(SNAPSHOT_CONTENTS, makeContent(move, step.from), signal);
      case 'make-snapshot':
        return this.#objects.create(SNAPSHOTS, makeSnapshot(move, step.of), signal);
      case 'make-claim': {
        const { size, mode } = step;
        return this.#objects.create(CLAIMS, makeClaim(move, { ...move.claim, size, mode }), signal);
      }
      case 'make-holder': {
        // A driver whose snapshots are of one node or zone makes volumes of them there alone.
        const nodes = sourceVolume?.spec.nodeAffinity?.required;
        const group = source?.status?.volumeGroupSnapshotName;
        const volume = { mode: step.mode, isReadOnly: move.claim.isReadOnly, nodes, group };
        const holder = makeHolder(move, volume, move.holder);
        return this.#objects.create(PODS, holder, signal);
      }
    }
  }

  async #exposedParts(move: SnapshotMove, signal?: AbortSignal): Promise<ExposedParts> {
    const claimName = { namespace: move.sourceNamespace, name: move.sourceClaim };
    const [made, source, sourceClaim] = await Promise.all([
      this.#made(move, signal),
      this.#source(move, signal),
      this.#objects.get<VolumeClaim>(CLAIMS, claimName, signal),
    ]);
    return {
      ...made,
      ...source,
      sourceClaim,
      sourceVolume: await this.#objects.volumeOf(sourceClaim, signal),
    };
  }

  /** Nothing that was not made for this move, by an agent of ours or of stock before it. */
  async #withdrawnParts(move: SnapshotMove, signal?: AbortSignal): Promise<WithdrawnParts> {
    const made = await this.#made(move, signal);
    const content = only(made.content, it => isMadeFor(it, move) || isStockContent(it, move));
    const snapshot = only(made.snapshot, it => isMadeFor(it, move) || isStockSnapshot(it, move));
    const claim = only(made.claim, it => isOfMove(it, move));
    const holder = only(made.holder, it => isOfMove(it, move));
    const volume = await this.#objects.volumeOf(claim, signal);
    const found = await this.#source(move, signal);
    const isForThis = found.source?.metadata.labels?.[BACKUP_LABEL] === move.backupName;
    return { content, snapshot, claim, holder, volume, ...(isForThis ? found : {}) };
  }

  async #made(move: SnapshotMove, signal?: AbortSignal) {
    const { namespace, name } = move;
    const [content, snapshot, claim, holder] = await Promise.all([
      this.#objects.get<VolumeSnapshotContent>(SNAPSHOT_CONTENTS, { name }, signal),
      this.#objects.get<VolumeSnapshot>(SNAPSHOTS, { namespace, name }, signal),
      this.#objects.get<VolumeClaim>(CLAIMS, { namespace, name }, signal),
      this.#objects.get<HolderPod>(PODS, { namespace, name }, signal),
    ]);
    return { content, snapshot, claim, holder };
  }

  async #source(move: SnapshotMove, signal?: AbortSignal) {
    const sourceName = { namespace: move.sourceNamespace, name: move.sourceSnapshot };
    const source = await this.#objects.get<VolumeSnapshot>(SNAPSHOTS, sourceName, signal);
    const name = source?.status?.boundVolumeSnapshotContentName ?? '';
    const sourceContent =
      name === ''
        ? undefined
        : await this.#objects.get<VolumeSnapshotContent>(SNAPSHOT_CONTENTS, { name }, signal);
    return { source, sourceContent };
  }
}

function only<Item>(part: Item | undefined, is: (part: Item) => boolean): Item | undefined {
  return part !== undefined && is(part) ? part : undefined;
}

function madeParts({ content, snapshot, claim, holder }: ExposedParts): KubeObject[] {
  return [content, snapshot, claim, holder].filter(part => part !== undefined);
}
