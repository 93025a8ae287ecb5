// Deletes what moves that have ended have left behind: under the version that was read a moment
// ago, after one more look at the move. Looked for are only kinds of which some have ended, by
// their labels; so a cluster with nothing left over costs a few short lists.

import type { Log } from '#agent/log.ts';
import type { MoveObject } from '#agent/moves/objects/move-object.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { CLAIMS, PODS } from '#kube/core-resources.ts';
import type { EventWriter } from '#kube/events.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { type KubeObject, keyOf } from '#kube/kube-object.ts';
import { Absences } from './absences.ts';
import { AgentAbsences } from './agent-absences.ts';
import { type AgentPod, isRunningAgent } from './agent-pod.ts';
import { isToGo } from './decide-leftover.ts';
import type { AgentState } from './decide-stuck.ts';
import { isEnded, type Leftover, leftoverOf, MOVER_LABELS } from './leftover.ts';
import type { LeftoverCounts } from './leftover-counts.ts';
import { type MoveRecord, recordOf } from './move-record.ts';
import type { StuckParts } from './stuck-look.ts';
import { unlessAbsent, unlessForbidden } from './unless-refused.ts';

export interface SweepParts extends Omit<StuckParts, 'client' | 'log'> {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'delete'>;
  readonly log: Pick<Log, 'info'>;
  readonly leftovers: LeftoverCounts;
}

/** Of one sweep; the others have their turn at the next. */
const DELETED_MAX = 100;

export class LeftoverSweep {
  readonly #parts: SweepParts;
  readonly #events: Pick<EventWriter, 'emit'>;
  readonly #left = new Absences();
  readonly #agents: AgentAbsences;

  constructor(parts: SweepParts, events: Pick<EventWriter, 'emit'>) {
    this.#parts = parts;
    this.#events = events;
    this.#agents = new AgentAbsences(parts);
  }

  /** After all moves that are known, ended or not. @throws KUBE_UNAVAILABLE, … */
  async at(moves: readonly MoveRecord[], signal: AbortSignal): Promise<void> {
    const left = await this.#find(moves.filter(isEnded), signal);
    const withAgent = left.length === 0 ? new Set() : await this.#nodesWithAgent(signal);
    const nowMs = this.#parts.clock.monotonic();
    const seen = left.map(leftover => ({
      leftover,
      ...{ place: leftover.node, agent: this.#agentOf(leftover, withAgent) },
      forMs: this.#left.ms(leftover.metadata.uid ?? '', nowMs),
    }));
    this.#left.keepOnly(new Set(left.map(({ metadata }) => metadata.uid ?? '')));
    this.#agents.keepOnly(seen);
    const toGo = seen.filter(each => isToGo(each, this.#parts.limits));
    for (const { leftover } of toGo.slice(0, DELETED_MAX)) await this.#delete(leftover, signal);
  }

  /** Pods first: a claim stays for as long as one has it. */
  async #find(ended: readonly MoveRecord[], signal: AbortSignal): Promise<Leftover[]> {
    if (ended.length === 0) return [];
    const byUid = new Map(ended.map(move => [move.metadata.uid ?? '', move]));
    const labels = new Set(ended.flatMap(({ resource }) => MOVER_LABELS[resource.kind] ?? []));
    const queries = [
      ...[...labels].map(labelSelector => ({ resource: PODS, labelSelector })),
      // Exposers give no label to theirs.
      { resource: CLAIMS, labelSelector: undefined },
    ];
    const { client, namespace } = this.#parts;
    const found: Leftover[] = [];
    for (const { resource, labelSelector } of queries) {
      const query = { namespace, ...(labelSelector === undefined ? {} : { labelSelector }) };
      const list = () => client.list<KubeObject>(resource, query, { signal });
      const items = (await unlessForbidden(list))?.items ?? [];
      found.push(...items.flatMap(item => leftoverOf(resource, item, byUid) ?? []));
    }
    return found;
  }

  async #nodesWithAgent(signal: AbortSignal): Promise<ReadonlySet<unknown>> {
    const { client, namespace, serviceAccount } = this.#parts;
    const { items } = await client.list<AgentPod>(PODS, { namespace }, { signal });
    const running = items.filter(pod => isRunningAgent(pod, serviceAccount));
    return new Set(running.map(({ spec }) => spec?.nodeName));
  }

  /** Where nobody knows which node it is, any agent may be at it. */
  #agentOf({ node }: Leftover, withAgent: ReadonlySet<unknown>): AgentState {
    const isThere = node === undefined || withAgent.has(node) || this.#parts.hasSession(node);
    return isThere ? { kind: 'there' } : this.#agents.ofPlace(node);
  }

  async #delete(leftover: Leftover, signal: AbortSignal): Promise<void> {
    const { log, leftovers } = this.#parts;
    const { resource, move } = leftover;
    if (!(await unlessForbidden(() => this.#hasDeleted(leftover, signal)))) return;
    leftovers.deleted(resource.kind);
    const what = { kind: resource.kind, name: leftover.metadata.name };
    log.info({ move: keyOf(move), ...what }, 'what a move has left behind is deleted');
    const message = `deleted ${resource.kind} ${what.name}, which it had left behind`;
    this.#events.emit({ regarding: move, type: 'Normal', reason: 'LeftoverDeleted', message });
  }

  /** Unless it, or its move, is not what it was. */
  async #hasDeleted({ resource, metadata, move }: Leftover, signal: AbortSignal): Promise<boolean> {
    const { client } = this.#parts;
    const { name, namespace } = metadata;
    const owner = { name: move.metadata.name, namespace };
    const ask = () => client.get<MoveObject>(move.resource, owner, { signal });
    const now = await unlessAbsent(ask);
    const isSame = now?.metadata.uid === move.metadata.uid;
    if (now === undefined || !isSame || !isEnded(recordOf(move.resource, now))) return false;
    try {
      await client.delete(resource, { name, namespace }, { asRead: metadata, signal });
      return true;
    } catch (error) {
      if (isEngineError(error, 'KUBE_CONFLICT', 'KUBE_NOT_FOUND')) return false;
      throw error;
    }
  }
}
