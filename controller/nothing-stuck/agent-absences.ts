// For how long nodes have had no agent, and those of them that are gone no Node either. Whoever is
// looked at and has one is not asked for here, and is forgotten by keepOnly.

import type { Clock } from '#engine/base/clock.ts';
import { NODES } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import { Absences } from './absences.ts';
import type { AgentState } from './decide-stuck.ts';
import { unlessAbsent } from './unless-refused.ts';

export interface AgentAbsencesParts {
  readonly client: Pick<KubeClient, 'get'>;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** One that was looked at, and where it is. */
export interface SeenAgent {
  readonly place: string | undefined;
  readonly agent: AgentState;
}

export class AgentAbsences {
  readonly #parts: AgentAbsencesParts;
  readonly #agents = new Absences();
  readonly #nodes = new Absences();

  constructor(parts: AgentAbsencesParts) {
    this.#parts = parts;
  }

  /** Of a node that has none now. @throws KUBE_UNAVAILABLE, … */
  async ofNode(name: string, signal: AbortSignal): Promise<AgentState> {
    const { client, clock } = this.#parts;
    const node = await unlessAbsent(() => client.get<KubeObject>(NODES, { name }, { signal }));
    const nowMs = clock.monotonic();
    const forMs = this.#agents.ms(name, nowMs);
    if (node !== undefined) return { kind: 'absent', forMs };
    return { kind: 'node-gone', forMs: this.#nodes.ms(name, nowMs) };
  }

  /** Of a place that is no node. */
  ofPlace(place: string): AgentState {
    return { kind: 'absent', forMs: this.#agents.ms(place, this.#parts.clock.monotonic()) };
  }

  /** Who was back in between, by whatever way, has been away for no time. */
  keepOnly(seen: readonly SeenAgent[]): void {
    const away = (...kinds: readonly AgentState['kind'][]) =>
      new Set(
        seen.flatMap(({ place, agent }) => (kinds.includes(agent.kind) ? (place ?? []) : [])),
      );
    this.#agents.keepOnly(away('absent', 'node-gone'));
    this.#nodes.keepOnly(away('node-gone'));
  }
}
