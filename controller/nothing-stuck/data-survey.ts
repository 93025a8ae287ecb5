// What speaks for and against the move of a snapshot being stuck: which agents of Velero's run, by
// the pods in its namespace, and whether the node is still there. A session says that ours runs,
// which makes no such moves; so the pod that has it does not count.

import { PODS } from '#kube/core-resources.ts';
import { ageMs } from '#kube/kube-object.ts';
import { AgentAbsences } from './agent-absences.ts';
import { type AgentPod, hasAgentLabel } from './agent-pod.ts';
import { type DataMoveView, isAnybodys } from './decide-stuck-data.ts';
import type { AgentState } from './decide-stuck.ts';
import type { MoveRecord } from './move-record.ts';
import type { StuckParts } from './stuck-look.ts';

/** In place of a node: any of them. */
const ANYWHERE = '';

export class DataSurvey {
  readonly #parts: StuckParts;
  readonly #agents: AgentAbsences;

  constructor(parts: StuckParts) {
    this.#parts = parts;
    this.#agents = new AgentAbsences(parts);
  }

  /** At all that are open. @throws KUBE_UNAVAILABLE, … */
  async look(
    open: readonly MoveRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<MoveRecord, DataMoveView>> {
    const views = await this.#views(open, signal);
    const seen = [...views].map(([record, { agent }]) => ({ place: whereOf(record), agent }));
    this.#agents.keepOnly(seen);
    return views;
  }

  /** Once more at one of them. @throws as look */
  async again(record: MoveRecord, signal: AbortSignal): Promise<DataMoveView | undefined> {
    return (await this.#views([record], signal)).get(record);
  }

  async #views(
    open: readonly MoveRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<MoveRecord, DataMoveView>> {
    // Who asks for nobody asks the API server for nothing.
    if (open.length === 0) return new Map();
    const { client, clock, namespace } = this.#parts;
    const { items } = await client.list<AgentPod>(PODS, { namespace }, { signal });
    const running = items.filter(({ status }) => status?.phase === 'Running');
    const names = new Set(running.map(({ metadata }) => metadata.name));
    const agents = await this.#agentStates(new Set(open.map(whereOf)), running, signal);
    const nowMs = clock.now();
    const viewOf = (record: MoveRecord): DataMoveView => ({
      phase: record.phase,
      ageMs: ageMs(record.metadata, nowMs),
      node: record.node,
      agent: agents.get(whereOf(record)) ?? { kind: 'there' },
      hasMoverPod: names.has(record.metadata.name),
    });
    return new Map(open.map(record => [record, viewOf(record)]));
  }

  async #agentStates(
    places: ReadonlySet<string>,
    running: readonly AgentPod[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, AgentState>> {
    const withAgent = this.#nodesWithAgent(running);
    const states = new Map<string, AgentState>();
    for (const place of places) {
      if (place === ANYWHERE ? withAgent.size > 0 : withAgent.has(place)) continue;
      const isNode = place !== ANYWHERE;
      const state = isNode ? await this.#agents.ofNode(place, signal) : this.#agents.ofPlace(place);
      states.set(place, state);
    }
    return states;
  }

  /** Where in doubt a pod is one of Velero's. */
  #nodesWithAgent(running: readonly AgentPod[]): ReadonlySet<string> {
    const { hasSession, serviceAccount } = this.#parts;
    const ours = new Set<string>();
    const others = new Set<string>();
    for (const pod of running) {
      const { nodeName, serviceAccountName } = pod.spec ?? {};
      if (nodeName === undefined || !hasAgentLabel(pod)) continue;
      const hasOurs = serviceAccountName === serviceAccount && hasSession(nodeName);
      if (hasOurs && !ours.has(nodeName)) ours.add(nodeName);
      else others.add(nodeName);
    }
    return others;
  }
}

function whereOf({ phase, node }: MoveRecord): string {
  return isAnybodys(phase) ? ANYWHERE : (node ?? ANYWHERE);
}
