// Exposes an empty volume for what is restored, gives it to the claim that waits for it, and takes
// away what is left: looks at what there is, does the one step that follows, and looks again
// (docs/adr/0024).

import { CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { ClusterObjects } from './cluster-objects.ts';
import {
  type DeletionPolicy,
  type ExposedVolume,
  type HolderPod,
  type StorageClass,
  type VolumeClaim,
} from './exposed-objects.ts';
import type { Exposure } from './holder-state.ts';
import { isOfMove } from './left-by-stock.ts';
import { isInTheWay, isMadeFor } from './made-for.ts';
import {
  type ExposedMove,
  type HolderSettings,
  MADE_FOR,
  makeHolder,
  makeRestoreClaim,
  theNode,
} from './made-objects.ts';
import {
  isRebound,
  nextRebinding,
  POLICY_BEFORE,
  type ReboundParts,
  type RebindingStep,
} from './rebinding.ts';
import { nextRestoreExposure, type RestoreExposureStep } from './restore-exposure.ts';
import { nextOfHeld, type Withdrawal } from './withdrawal.ts';

/** A move, and the claim that it is for. */
export interface RestoreMove extends ExposedMove {
  /** Of the application. */
  readonly targetNamespace: string;
  readonly targetClaim: string;
  readonly ignoresDelayedBinding: boolean;
  readonly holderOf: (storageClass: string) => HolderSettings;
}

export type Rebinding = Extract<RebindingStep, { type: 'wait' | 'rebound' | 'impossible' }>;

/** More than there are; what comes after them waits for its next turn. */
const STEPS_MAX = 12;

export class RestoreExposer {
  readonly #objects: ClusterObjects;

  constructor(client: KubeClient) {
    this.#objects = new ClusterObjects(client);
  }

  /**
   * As far as it goes now. What is there of that name and was not made for this move is left alone.
   * @throws KUBE_FORBIDDEN, KUBE_UNAVAILABLE, KUBE_INVALID, …: call again later
   */
  async expose(move: RestoreMove, signal?: AbortSignal): Promise<Exposure> {
    const targetName = nameOfTarget(move);
    const { ignoresDelayedBinding } = move;
    for (let count = 0; count < STEPS_MAX; count++) {
      const [made, target] = await Promise.all([
        this.#made(move, signal),
        this.#target(move, signal),
      ]);
      const foreign = [made.claim, made.holder].find(part => part && !isMadeFor(part, move));
      if (foreign) return { type: 'hopeless', message: isInTheWay(foreign) };
      const targetClass = await this.#classOf(target, signal);
      const parts = { ...made, target, targetClass };
      const step = nextRestoreExposure(parts, { targetName, ignoresDelayedBinding });
      if (step.type === 'wait' || step.type === 'exposed' || step.type === 'hopeless') return step;
      await this.#make(step, move, signal);
    }
    return { type: 'wait', missing: 'an end of changes by somebody else' };
  }

  /**
   * Whether its volume was filled, by this process or one before: it is being handed over.
   * @throws as expose
   */
  async isFilled(move: RestoreMove, signal?: AbortSignal): Promise<boolean> {
    const parts = await this.#reboundParts(move, signal);
    const { volume } = parts;
    return volume === undefined ? isRebound(parts) : isMadeFor(volume, move);
  }

  /**
   * For a volume that is filled, as far as it goes now. Until the claim has it, it is in nobody's
   * hands: call again until it is `rebound`, or withdraw.
   * @throws as expose
   */
  async rebind(move: RestoreMove, signal?: AbortSignal): Promise<Rebinding> {
    const names = {
      target: nameOfTarget(move),
      isMarked: (volume: ExposedVolume) => isMadeFor(volume, move),
    };
    for (let count = 0; count < STEPS_MAX; count++) {
      const parts = await this.#reboundParts(move, signal);
      const foreign = [parts.claim, parts.holder].find(part => part && !isMadeFor(part, move));
      if (foreign) return { type: 'impossible', message: isInTheWay(foreign) };
      const step = nextRebinding(parts, names);
      if (step.type === 'wait' || step.type === 'rebound' || step.type === 'impossible') {
        return step;
      }
      await this.#handOver(step, move, signal);
    }
    return { type: 'wait', missing: 'an end of changes by somebody else' };
  }

  /**
   * As far as it goes now; the last call returns `withdrawn`. A volume that the application has is
   * the application's.
   * @throws as expose
   */
  async withdraw(move: RestoreMove, signal?: AbortSignal): Promise<Withdrawal> {
    for (let count = 0; count < STEPS_MAX; count++) {
      const { target, claim, holder, volume } = await this.#reboundParts(move, signal);
      const ours = {
        claim: claim && isOfMove(claim, move) ? claim : undefined,
        holder: holder && isOfMove(holder, move) ? holder : undefined,
      };
      const step = nextOfHeld({ ...ours, volume: ours.claim && volume });
      if (step.type === 'wait') return step;
      if (step.type !== 'withdrawn') await this.#objects.takeAway(step, signal);
      else if (volume === undefined || !isMadeFor(volume, move)) return step;
      else await this.#letGo(volume, target, signal);
    }
    return { type: 'wait', leaving: 'what somebody else makes again' };
  }

  #make(
    step: Exclude<RestoreExposureStep, Exposure>,
    move: RestoreMove,
    signal?: AbortSignal,
  ): Promise<void> {
    const { like } = step;
    if (step.type === 'make-claim') {
      return this.#objects.create(CLAIMS, makeRestoreClaim(move, like), signal);
    }
    const nodes = step.nodeName === undefined ? undefined : theNode(step.nodeName);
    const volume = { mode: like.spec.volumeMode ?? 'Filesystem', isReadOnly: false, nodes };
    const holder = move.holderOf(like.spec.storageClassName ?? '');
    // Where the pod of the application goes nothing else has a say (generic_restore.go).
    const settings = nodes === undefined ? holder : { ...holder, nodes: undefined };
    return this.#objects.create(PODS, makeHolder(move, volume, settings), signal);
  }

  async #handOver(
    step: Exclude<RebindingStep, Rebinding>,
    move: RestoreMove,
    signal?: AbortSignal,
  ): Promise<void> {
    switch (step.type) {
      case 'mark-volume': {
        const { metadata, spec } = step.volume;
        const before = spec.persistentVolumeReclaimPolicy ?? 'Delete';
        return this.#patchVolume(metadata.name, signal, {
          metadata: { labels: { [MADE_FOR]: move.uid }, annotations: { [POLICY_BEFORE]: before } },
          spec: { persistentVolumeReclaimPolicy: 'Retain' satisfies DeletionPolicy },
        });
      }
      case 'delete-holder':
        return this.#objects.delete(PODS, step.holder, signal);
      case 'delete-claim':
        return this.#objects.delete(CLAIMS, step.claim, signal);
      case 'hand-over':
        return this.#patchVolume(step.volume.metadata.name, signal, handedOver(step.to));
      case 'name-volume': {
        const target = { namespace: move.targetNamespace, name: move.targetClaim };
        const { volumeName } = step;
        return this.#objects.patch(CLAIMS, target, { spec: { volumeName } }, signal);
      }
      case 'unmark-volume':
        return this.#patchVolume(step.name, signal, unmarked(step.policy));
    }
  }

  /** Of a move that ended before its volume was handed over, or right after. */
  #letGo(
    { metadata, spec }: ExposedVolume,
    target: VolumeClaim | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    const isHandedOver = target !== undefined && spec.claimRef?.uid === target.metadata.uid;
    const isKept = isHandedOver && metadata.annotations?.[POLICY_BEFORE] === 'Retain';
    return this.#patchVolume(metadata.name, signal, unmarked(isKept ? 'Retain' : 'Delete'));
  }

  #patchVolume(name: string, signal: AbortSignal | undefined, body: object): Promise<void> {
    return this.#objects.patch(PERSISTENT_VOLUMES, { name }, body, signal);
  }

  async #reboundParts(move: RestoreMove, signal?: AbortSignal): Promise<ReboundParts> {
    const [made, target] = await Promise.all([
      this.#made(move, signal),
      this.#target(move, signal),
    ]);
    const claim = made.claim && isOfMove(made.claim, move) ? made.claim : undefined;
    const [volume, targetVolume] = await Promise.all([
      this.#objects.volumeOf(claim, signal),
      this.#objects.volumeOf(target, signal),
    ]);
    if (claim !== undefined) return { ...made, target, targetVolume, volume };
    const isHanded = targetVolume !== undefined && isMadeFor(targetVolume, move);
    const marked = isHanded ? targetVolume : await this.#marked(move, signal);
    return { ...made, target, targetVolume, volume: marked };
  }

  /** Looks through all volumes of the cluster: for when no claim has it. */
  async #marked({ uid }: RestoreMove, signal?: AbortSignal): Promise<ExposedVolume | undefined> {
    const mark = { label: MADE_FOR, value: uid };
    const [volume] = await this.#objects.labelled<ExposedVolume>(PERSISTENT_VOLUMES, mark, signal);
    return volume;
  }

  async #made({ namespace, name }: RestoreMove, signal?: AbortSignal) {
    const [claim, holder] = await Promise.all([
      this.#objects.get<VolumeClaim>(CLAIMS, { namespace, name }, signal),
      this.#objects.get<HolderPod>(PODS, { namespace, name }, signal),
    ]);
    return { claim, holder };
  }

  #target({ targetNamespace: namespace, targetClaim: name }: RestoreMove, signal?: AbortSignal) {
    return this.#objects.get<VolumeClaim>(CLAIMS, { namespace, name }, signal);
  }

  async #classOf(target?: VolumeClaim, signal?: AbortSignal): Promise<StorageClass | undefined> {
    const name = target?.spec.storageClassName ?? '';
    if (name === '') return undefined;
    return this.#objects.get<StorageClass>(STORAGE_CLASSES, { name }, signal);
  }
}

function nameOfTarget({ targetNamespace, targetClaim }: RestoreMove): string {
  return `${targetNamespace}/${targetClaim}`;
}

/** Bound before the claim says so, which the volume controller completes. */
function handedOver({ metadata, spec }: VolumeClaim): object {
  const { name, namespace, uid } = metadata;
  const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid };
  return {
    metadata: {
      labels: spec.selector?.matchLabels,
      annotations: { 'pv.kubernetes.io/bound-by-controller': null },
    },
    spec: { claimRef: { ...claim, resourceVersion: null } },
  };
}

function unmarked(policy: DeletionPolicy): object {
  return {
    metadata: { labels: { [MADE_FOR]: null }, annotations: { [POLICY_BEFORE]: null } },
    spec: { persistentVolumeReclaimPolicy: policy },
  };
}
