// How things stand now: who waits and why, who moves and where, and how each node does. Looks at
// everybody, so it is for people, who ask seldom, and decides nothing.

import type { AgentHeartbeat, MoveRate } from '#proto/agent-saying.ts';
import type {
  ClusterOverview,
  NodeOverview,
  RateOverview,
  RunningMove,
  WaitingMove,
} from '#proto/overview-messages.ts';
import type { SlotGrant } from '#proto/slot-messages.ts';
import type { RateUse } from '#controller/share-service.ts';
import { describeQueue } from '#controller/slots/describe-queue.ts';
import type { Slot } from '#controller/slots/slot-table.ts';
import type { TermState } from '#controller/term.ts';

export interface OverviewFacts {
  /** Of the program. */
  readonly version: string;
  /** Name of this controller. */
  readonly leader: string;
  /** Monotonic. */
  readonly nowMs: number;
}

export function describeOverview(state: TermState, facts: OverviewFacts): ClusterOverview {
  const { desk, epoch, shares } = state;
  const { version, leader, nowMs } = facts;
  const waiting = waitingMoves(state, nowMs);
  const running = runningMoves(state, nowMs);
  return {
    version,
    leader,
    epoch,
    isStarting: desk.isWarming(nowMs),
    waitingCount: waiting.length,
    waiting,
    runningCount: running.length,
    running,
    nodes: nodeOverviews(state, nowMs),
    slotsMax: desk.table.cluster.max ?? 0,
    upload: rateOverview(shares.use('upload')),
    download: rateOverview(shares.use('download')),
  };
}

function waitingMoves({ desk }: TermState, nowMs: number): WaitingMove[] {
  const { table } = desk;
  return describeQueue(table, nowMs, desk.isWarming(nowMs)).flatMap(entry => {
    const volume = table.waiting(entry.id);
    if (volume === undefined) return [];
    const { id, place, cause, priority, waitedMs } = entry;
    const limit = 'limit' in cause ? cause.limit : undefined;
    return {
      ...{ volume, priority, waitedMs },
      wait: { id, place, cause: cause.kind, limit },
      keptFor: cause.kind === 'kept' ? cause.forId : '',
      nodes: [...volume.candidates.keys()].map(({ name }) => name),
    };
  });
}

/** The one that runs longest first. */
function runningMoves({ desk, service, epoch }: TermState, nowMs: number): RunningMove[] {
  const rates = new Map<string, MoveRate>();
  for (const { moves } of service.heartbeats.values()) {
    for (const move of moves) rates.set(move.id, move);
  }
  const slots = [...desk.table.slots()].sort((one, other) => one.sinceMs - other.sinceMs);
  return slots.map(slot => ({
    volume: slot.volume,
    node: slot.node.name,
    runningMs: nowMs - slot.sinceMs,
    grant: grantOf(slot, epoch),
    progress: rates.get(slot.volume.id),
  }));
}

/** Why an earlier controller gave it is not known here. */
function grantOf({ grant }: Slot, epoch: number): SlotGrant | undefined {
  if (grant === undefined || grant.epoch === epoch) return grant;
  return { ...grant, reason: { kind: 'later' } };
}

function nodeOverviews(state: TermState, nowMs: number): NodeOverview[] {
  const { desk, sessions, shares, service } = state;
  const uses = desk.table.uses().filter(({ kind }) => kind === 'node');
  const known = new Map(uses.map(use => [use.name, use]));
  const names = new Set([...known.keys(), ...sessions.nodes]);
  return [...names].sort().map(name => {
    const session = sessions.session(name);
    const { used = 0, max = 0 } = known.get(name) ?? {};
    const heartbeat = service.heartbeats.get(name);
    return {
      name,
      isConnected: session !== undefined,
      version: session?.hello.version ?? '',
      connectedMs: session === undefined ? 0 : nowMs - session.openedAtMs,
      slotsUsed: used,
      slotsMax: max,
      waitingCount: desk.table.waitingFor(name).length,
      heartbeat: session && heartbeat && withoutMoves(heartbeat),
      shares: shares.told(name),
    };
  });
}

/** They stand with what runs. */
function withoutMoves(heartbeat: AgentHeartbeat): AgentHeartbeat {
  return { ...heartbeat, moves: [] };
}

function rateOverview({ limit, given, used }: RateUse): RateOverview {
  return { limit, given: Number.isFinite(given) ? Math.floor(given) : undefined, used };
}
