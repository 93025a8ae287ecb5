// What there is while this controller reigns, all of it new for each term: sessions, the slot desk,
// shares of bandwidth. Nothing is kept from one term to the next, as agents say anew what is.

import type { Clock } from '#engine/base/clock.ts';
import { deadline } from '#engine/base/deadline.ts';
import { PODS } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import type { FailedMove } from '#proto/agent-saying.ts';
import type { SlotGrant } from '#proto/slot-messages.ts';
import type { RateWindows } from './bandwidth/rate-windows.ts';
import type { Door } from './door.ts';
import type { Term } from './leadership/leadership.ts';
import { AgentSessions, type RefusedSession } from './sessions/agent-sessions.ts';
import type { RefusalCounts } from './sessions/refusals.ts';
import type { ExpectedAgent } from './sessions/token-identity.ts';
import { ShareService } from './share-service.ts';
import { SlotService } from './slot-service.ts';
import { SlotDesk } from './slots/slot-desk.ts';
import type { SlotLimits } from './slots/slot-limits.ts';

export interface TermParts {
  readonly client: Pick<KubeClient, 'list'>;
  readonly clock: Clock;
  readonly door: Door;
  readonly counts: RefusalCounts;
  readonly version: string;
  readonly agents: ExpectedAgent;
  readonly limits: SlotLimits;
  readonly rates: RateWindows;
  readonly nodeOf: (token: string) => Promise<string>;
  readonly hasBeen: (epoch: number) => Promise<boolean>;
  readonly onRefused: (refused: RefusedSession) => void;
  /** Which nodes have agents cannot be said; so it is waited for those that come by themselves. */
  readonly onNodesUnknown: (error: unknown) => void;
  /** What there is now, for metrics; undefined when the term is over. */
  readonly onState: (state: TermState | undefined) => void;
  readonly onGranted: (grants: readonly SlotGrant[], desk: SlotDesk) => void;
  readonly onFailed: (node: string, failed: readonly FailedMove[]) => void;
  /** What else a leader does, until the signal fires; agents are served beside it. */
  readonly alongside: readonly ((signal: AbortSignal) => Promise<void>)[];
}

export interface TermState {
  readonly epoch: number;
  readonly desk: SlotDesk;
  readonly service: SlotService;
  readonly sessions: AgentSessions;
  readonly shares: ShareService;
}

interface AgentPod extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
}

/** After that the desk waits for a lease time in place of all nodes. */
const NODES_MS_MAX = 3_000;
/** By then there is the next leader, where this one has given the Lease back. */
const RETURN_MS = 1_000;

/** Until the term's signal fires, or until an agent proves that there is a later leader. */
export async function reign(term: Term, parts: TermParts): Promise<void> {
  const { epoch } = term;
  const { clock, door, limits, rates, hasBeen, onState, onGranted, onFailed, alongside } = parts;
  const nodes = await agentNodes(parts, term.signal);
  const over = new AbortController();
  const desk = new SlotDesk({ epoch, limits, nodes, nowMs: clock.monotonic() });
  const service = new SlotService({
    ...{ desk, epoch, clock, hasBeen, onFailed },
    onGranted: grants => {
      shares.review();
      onGranted(grants, desk);
    },
    onTick: () => shares.review(),
    onDeposed: () => over.abort(),
  });
  const sessions = openSessions(parts, service, () => shares);
  const movesByNode = () => movesOf(desk);
  const shares = new ShareService({ rates, epoch, clock, sessions, movesByNode });
  service.use(sessions);
  onState({ epoch, desk, service, sessions, shares });
  const close = door.open(sessions);
  try {
    const either = AbortSignal.any([term.signal, over.signal]);
    await Promise.all([service.run(either), ...alongside.map(work => work(either))]);
  } finally {
    close();
    sessions.stop(RETURN_MS);
    onState(undefined);
  }
}

function openSessions(
  { version, nodeOf, counts, clock, onRefused }: TermParts,
  { events }: SlotService,
  shares: () => ShareService,
): AgentSessions {
  return new AgentSessions({
    ...{ version, nodeOf, counts, clock, onRefused },
    events: {
      opened: session => {
        events.opened(session);
        shares().opened(session);
      },
      heard: (session, saying) => {
        shares().heard(session, saying);
        events.heard(session, saying);
      },
      closed: session => {
        shares().closed(session);
        events.closed(session);
      },
    },
  });
}

/** By node, of all that have some. */
function movesOf({ table }: SlotDesk): Map<string, readonly string[]> {
  const nodes = table.uses().filter(({ kind, used }) => kind === 'node' && used > 0);
  return new Map(nodes.map(({ name }) => [name, table.heldBy(name).map(slot => slot.volume.id)]));
}

/** Those with a pod of an agent; undefined where that cannot be known. */
async function agentNodes(
  { client, clock, agents: { namespace, serviceAccount }, onNodesUnknown }: TermParts,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  using limit = deadline(clock, NODES_MS_MAX);
  const query = { namespace, fieldSelector: `spec.serviceAccountName=${serviceAccount}` };
  const either = AbortSignal.any([signal, limit.signal]);
  try {
    const { items } = await client.list<AgentPod>(PODS, query, { signal: either });
    return items.flatMap(({ spec }) => spec?.nodeName ?? []);
  } catch (error) {
    if (!signal.aborted) onNodesUnknown(error);
    return undefined;
  }
}
