// What speaks for and against a move being stuck: sessions first, which cost nothing, then the pods
// in Velero's namespace, and Nodes and pods of restores one by one.

import { PODS } from '#kube/core-resources.ts';
import { ageMs } from '#kube/kube-object.ts';
import { Absences } from './absences.ts';
import { AgentAbsences } from './agent-absences.ts';
import { type AgentPod, isRunningAgent } from './agent-pod.ts';
import type { AgentState, RestoredPod, StuckView } from './decide-stuck.ts';
import { type ConditionedPod, restoredPodOf } from './restored-pod.ts';
import type { MoveRecord } from './move-record.ts';
import type { StuckParts } from './stuck-look.ts';
import { unlessAbsent, unlessForbidden } from './unless-refused.ts';

/** Pods of restores that are looked at in one look; the others wait for the next. */
const PODS_LOOKED_AT_MAX = 200;

interface Found {
  readonly node: string | undefined;
  readonly pod: RestoredPod | undefined;
}

export class StuckSurvey {
  readonly #parts: StuckParts;
  readonly #agents: AgentAbsences;
  readonly #pods = new Absences();
  #turn = 0;

  constructor(parts: StuckParts) {
    this.#parts = parts;
    this.#agents = new AgentAbsences(parts);
  }

  /** At all that are open; gives those that could be looked at. @throws KUBE_UNAVAILABLE, … */
  async look(
    open: readonly MoveRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<MoveRecord, StuckView>> {
    const views = await this.#views(open, signal);
    this.#agents.keepOnly([...views.values()].map(({ node, agent }) => ({ place: node, agent })));
    this.#pods.keepOnly(new Set(open.map(({ metadata }) => metadata.uid ?? '')));
    return views;
  }

  /** Once more at one of them. @throws as look */
  async again(record: MoveRecord, signal: AbortSignal): Promise<StuckView | undefined> {
    return (await this.#views([record], signal)).get(record);
  }

  async #views(
    open: readonly MoveRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<MoveRecord, StuckView>> {
    const found = await this.#findPods(open, signal);
    const suspects = open.filter(record => this.#isSuspect(found.get(record)));
    // Who asks for nobody asks the API server for nothing.
    const pods = suspects.length === 0 ? [] : await this.#veleroPods(signal);
    const agents = await this.#agentStates(suspects, found, pods, signal);
    const movers = new Set(pods.filter(isUnderWay).map(({ metadata }) => metadata.name));
    const views = open.flatMap(record => {
      const here = found.get(record);
      if (here === undefined) return [];
      const agent = agents.get(here.node ?? '') ?? ({ kind: 'there' } as const);
      return [[record, this.#view(record, here, agent, movers)] as const];
    });
    return new Map(views);
  }

  #isSuspect(found: Found | undefined): boolean {
    return found?.node !== undefined && !this.#parts.hasSession(found.node);
  }

  #view(
    { phase, metadata, pod }: MoveRecord,
    here: Found,
    agent: AgentState,
    movers: ReadonlySet<string>,
  ): StuckView {
    return {
      phase,
      isDeleting: metadata.deletionTimestamp !== undefined,
      ageMs: ageMs(metadata, this.#parts.clock.now()),
      node: here.node,
      agent,
      hasMoverPod: agent.kind !== 'node-gone' && movers.has(metadata.name),
      pod: here.pod,
      podName: `${pod?.namespace ?? ''}/${pod?.name ?? ''}`,
    };
  }

  /** Which node each is on; of restores that have not begun, by their pods. */
  async #findPods(open: readonly MoveRecord[], signal: AbortSignal) {
    const found = new Map<MoveRecord, Found>();
    const asked: MoveRecord[] = [];
    for (const record of open) {
      const isRestore = record.resource.plural === 'podvolumerestores';
      const isBegun = record.phase === 'InProgress' || record.phase === 'Canceling';
      // 1.16 does not say which node has begun it.
      if (isRestore && (!isBegun || record.node === undefined)) asked.push(record);
      else found.set(record, { node: record.node, pod: undefined });
    }
    // Others first at the next look, where they are too many for one.
    const first = asked.length > PODS_LOOKED_AT_MAX ? this.#turn % asked.length : 0;
    this.#turn += PODS_LOOKED_AT_MAX;
    const inTurn = [...asked.slice(first), ...asked.slice(0, first)];
    for (const record of inTurn.slice(0, PODS_LOOKED_AT_MAX)) {
      const place = await unlessForbidden(() => this.#findPod(record, signal));
      if (place !== undefined) found.set(record, place);
    }
    return found;
  }

  async #findPod({ pod, node, metadata }: MoveRecord, signal: AbortSignal): Promise<Found> {
    if (pod === undefined) return { node, pod: { kind: 'unknown' } };
    const { client, clock } = this.#parts;
    const { namespace, name, uid } = pod;
    const seen = await unlessAbsent(() =>
      client.get<ConditionedPod>(PODS, { namespace, name }, { signal }),
    );
    const restored = restoredPodOf(seen, uid);
    const key = metadata.uid ?? '';
    if (restored === undefined) {
      return { node, pod: { kind: 'gone', forMs: this.#pods.ms(key, clock.monotonic()) } };
    }
    this.#pods.isBack(key);
    return { node: node ?? restored.node, pod: restored.state };
  }

  async #veleroPods(signal: AbortSignal): Promise<readonly AgentPod[]> {
    const { client, namespace } = this.#parts;
    return (await client.list<AgentPod>(PODS, { namespace }, { signal })).items;
  }

  /** Of nodes without a session; of others nothing. */
  async #agentStates(
    suspects: readonly MoveRecord[],
    found: ReadonlyMap<MoveRecord, Found>,
    pods: readonly AgentPod[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, AgentState>> {
    const { serviceAccount } = this.#parts;
    const names = new Set(suspects.flatMap(record => found.get(record)?.node ?? []));
    const running = new Set(
      pods.filter(pod => isRunningAgent(pod, serviceAccount)).map(({ spec }) => spec?.nodeName),
    );
    const states = new Map<string, AgentState>();
    for (const name of names) {
      if (running.has(name)) continue;
      states.set(name, await this.#agents.ofNode(name, signal));
    }
    return states;
  }
}

function isUnderWay({ status }: AgentPod): boolean {
  return status?.phase === 'Running' || status?.phase === 'Pending';
}
