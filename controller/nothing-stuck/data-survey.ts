// What speaks for and against the move of a snapshot being stuck: which agents run, by the pods in
// Velero's namespace, and whether the node is still there.

import { MADE_FOR } from '#agent/exposer/made-objects.ts';
import { PODS } from '#kube/core-resources.ts';
import { ageMs } from '#kube/kube-object.ts';
import { AgentAbsences } from './agent-absences.ts';
import { type AgentPod, isRunningAgent } from './agent-pod.ts';
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
    // Velero's do the move by themselves; a pod that holds a volume for an agent of ours waits.
    const movers = running.filter(({ metadata }) => metadata.labels?.[MADE_FOR] === undefined);
    const names = new Set(movers.map(({ metadata }) => metadata.name));
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

  #nodesWithAgent(running: readonly AgentPod[]): ReadonlySet<string> {
    const { serviceAccount } = this.#parts;
    const agents = running.filter(pod => isRunningAgent(pod, serviceAccount));
    return new Set(agents.flatMap(({ spec }) => spec?.nodeName ?? []));
  }
}

function whereOf({ phase, node }: MoveRecord): string {
  return isAnybodys(phase) ? ANYWHERE : (node ?? ANYWHERE);
}
