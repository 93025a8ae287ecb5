// An emulated cluster with moves, nodes and agents, and a controller's looks at it, in time that
// the test lets pass.

import { DATA_MOVE_FINALIZER } from '#agent/moves/objects/well-known-names.ts';
import type { Test } from 'tap';
import { DATA_DOWNLOADS } from '#agent/moves/objects/data-download.ts';
import { DATA_UPLOADS } from '#agent/moves/objects/data-upload.ts';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { POD_VOLUME_RESTORES } from '#agent/moves/objects/pod-volume-restore.ts';
import { LeftoverCounts } from '#controller/nothing-stuck/leftover-counts.ts';
import { isOpen, type MoveRecord, recordOf } from '#controller/nothing-stuck/move-record.ts';
import { StuckLook } from '#controller/nothing-stuck/stuck-look.ts';
import { LeftoverSweep } from '#controller/nothing-stuck/sweep-leftovers.ts';
import { NODES, PODS } from '#kube/core-resources.ts';
import type { ObjectEvent } from '#kube/events.ts';
import {
  type KubeEmulator,
  type SeedObject,
  startKubeEmulator,
} from '#test/kube-emulator/kube-emulator.ts';
import { newBackup, newRestore } from '#test/moves/velero-objects.ts';

/** When the emulator makes its objects, by its own clock. */
const START_MS = Date.now();
export const MINUTE = 60_000;

type Status = Readonly<Record<string, unknown>>;

const KINDS = [POD_VOLUME_BACKUPS, POD_VOLUME_RESTORES, DATA_UPLOADS, DATA_DOWNLOADS];
const DATA_SPECS = {
  DataUpload: { snapshotType: 'CSI', sourcePVC: 'data' },
  DataDownload: { snapshotID: 's', targetVolume: { namespace: 'shop', pvc: 'data', pv: '' } },
} as const;

export class StuckScene {
  readonly api: KubeEmulator;
  readonly sessions = new Set<string>();
  readonly events: ObjectEvent[] = [];
  readonly warnings: string[] = [];
  /** Uid of each move that was ended, with why. */
  readonly ended: (readonly [string | undefined, string])[] = [];
  readonly leftovers = new LeftoverCounts();
  #nowMs = 0;
  #count = 0;

  constructor(api: KubeEmulator) {
    this.api = api;
    this.addNode('worker-1');
  }

  /** Another controller's, with a memory of its own. */
  newController() {
    const clock = {
      monotonic: () => this.#nowMs,
      now: () => START_MS + this.#nowMs,
      nowNanoseconds: () => 0n,
      sleep: async () => undefined,
    };
    const note = (_keys: object, text: string) => void this.warnings.push(text);
    const parts = {
      ...{ client: this.api.client(), clock, namespace: 'velero', serviceAccount: 'stevedore' },
      log: { warn: note, info: note },
      limits: { agentAbsenceMs: 10 * MINUTE, startDeadlineMs: 240 * MINUTE },
      hasSession: (node: string) => this.sessions.has(node),
      leftovers: this.leftovers,
      onEnded: ({ metadata }: MoveRecord, why: string) => void this.ended.push([metadata.uid, why]),
    };
    const events = { emit: (event: ObjectEvent) => void this.events.push(event) };
    const look = new StuckLook(parts, events);
    const sweep = new LeftoverSweep(parts, events);
    const { signal } = new AbortController();
    return {
      look: () => look.at(this.#moves().filter(isOpen), signal),
      sweep: () => sweep.at(this.#moves(), signal),
    };
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }

  addNode(name: string): void {
    this.api.add({ kind: 'Node', metadata: { name } });
  }

  removeNode(name: string): void {
    this.api.remove(NODES, { name });
  }

  /** A pod of the DaemonSet, of Velero's if nothing else is said. */
  addAgent(node: string, phase = 'Running', serviceAccountName = 'velero'): void {
    const labels = { name: 'node-agent' };
    const metadata = { name: `node-agent-${node}`, namespace: 'velero', labels };
    const spec = { nodeName: node, serviceAccountName };
    this.addPod({ kind: 'Pod', metadata, spec }, { phase });
  }

  removeAgent(node: string): void {
    this.api.remove(PODS, { namespace: 'velero', name: `node-agent-${node}` });
  }

  addPod(seed: SeedObject, status: Status): string {
    const { uid } = this.api.add(seed).metadata;
    this.api.change(PODS, seed.metadata, pod => void Object.assign(pod, { status }));
    return uid;
  }

  addBackup(status: Status = {}): string {
    return this.#add(newBackup() as unknown as SeedObject, status);
  }

  addRestore(pod: object, status: Status = {}): string {
    const { spec, ...restore } = newRestore();
    const named = { ...spec, pod: { ...spec.pod, ...pod } };
    return this.#add({ ...restore, spec: named } as unknown as SeedObject, status);
  }

  addDataMove(kind: keyof typeof DATA_SPECS, status: Status = {}, more: Status = {}): string {
    // Agents add theirs when they accept it.
    const isAccepted = ![undefined, '', 'New'].some(phase => phase === status.phase);
    const finalizers = ['kept/by-somebody', ...(isAccepted ? [DATA_MOVE_FINALIZER] : [])];
    const metadata = { name: `move-${++this.#count}`, namespace: 'velero', finalizers };
    const common = { backupStorageLocation: 'default', operationTimeout: '10m' };
    const spec = { ...common, sourceNamespace: 'shop', ...DATA_SPECS[kind], ...more };
    return this.#add({ kind, metadata, spec }, status);
  }

  statusOf(name: string): Status {
    return (this.object(name).status ?? {}) as Status;
  }

  finalizersOf(name: string): readonly string[] | undefined {
    return this.object(name).metadata.finalizers;
  }

  object(name: string) {
    const all = KINDS.map(resource => this.api.object(resource, { namespace: 'velero', name }));
    const found = all.find(each => each !== undefined);
    if (found === undefined) throw new Error(`there is no move ${name}`);
    return found;
  }

  #add(seed: SeedObject, status: Status): string {
    return this.api.add({ ...seed, status: { progress: {}, ...status } }).metadata.name;
  }

  #moves() {
    return KINDS.flatMap(resource =>
      this.api.objects(resource).map(object => recordOf(resource, object)),
    );
  }
}

export async function newScene(t: Test, velero: '1.16' | '1.18' = '1.18'): Promise<StuckScene> {
  const api = await startKubeEmulator({ velero });
  t.teardown(() => api.stop());
  return new StuckScene(api);
}
