// What `stevedore status` shows, read from what `moves`, `why`, `queue` and `nodes` read it from.
// Each part may be unseen by itself: for want of a right, of a controller, of a way to it.

import { type EngineError, isEngineError, messageOf } from '#engine/base/errors.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { askThroughTunnel } from '#controller/commands/ask-controller.ts';
import { leaderOf, leaseNameOf, listControllerPods } from '#controller/commands/find-controller.ts';
import { isReady } from '#kube/ready-condition.ts';
import type { ClusterOverview } from '#proto/overview-messages.ts';
import {
  type BackupRepository,
  REPOSITORIES,
  STORAGE_LOCATIONS,
  type StorageLocation,
} from '#agent/repositories/repository-objects.ts';
import type { Cluster, ClusterSession } from './cluster-verb.ts';
import {
  type AgentPod,
  containerOf,
  findAgents,
  isOurs,
  listAgentPods,
} from './installed-agents.ts';
import { listIfKnown, type ListedMove, listMoves } from './listed-moves.ts';
import { type NodeCache, cachesOfAgents, cachesOfNodes } from './node-caches.ts';
import { type WaitingMove, waitingMoves, withRates } from './waiting-moves.ts';

export interface Unseen {
  readonly what: string;
  readonly why: string;
  readonly code: ErrorCode;
}

export interface NotReady {
  readonly name: string;
  readonly node: string;
  readonly why: string;
}

export interface AgentSet {
  readonly name: string;
  readonly whose: 'Stevedore' | 'Velero';
  readonly version: string;
  readonly wanted: number;
  readonly ready: number;
}

export interface ControllerState {
  readonly version: string;
  readonly wanted: number;
  readonly ready: number;
  /** Of its pod; undefined where it may not be seen, and where nobody leads. */
  readonly leader: string | undefined;
  readonly isStarting: boolean | undefined;
}

export interface BadObject {
  readonly name: string;
  readonly phase: string;
  readonly message: string;
}

export interface StorageState {
  readonly count: number;
  readonly bad: readonly BadObject[];
}

export interface StatusFacts {
  readonly namespace: string;
  readonly agents: readonly AgentSet[] | undefined;
  readonly agentsNotReady: readonly NotReady[] | undefined;
  /** Null where there is none. */
  readonly controller: ControllerState | null | undefined;
  readonly locations: StorageState | undefined;
  readonly repositories: StorageState | undefined;
  readonly running: readonly ListedMove[] | undefined;
  readonly waiting: readonly WaitingMove[] | undefined;
  /** The newest first, of the last day. */
  readonly failed: readonly ListedMove[] | undefined;
  /** Those that are nearest to their limit first. */
  readonly caches: readonly NodeCache[] | undefined;
  readonly unseen: readonly Unseen[];
}

const DAY_MS = 24 * 3_600_000;
/** Without an answer to these there is nothing to show. */
const FATAL = ['ABORTED', 'KUBE_UNAUTHORIZED', 'KUBE_CONFIG_INVALID'] as const;
/** Nor without an API server, a Velero and its namespace; but a pod may be away. */
const NOTHING = [
  'KUBE_UNAVAILABLE',
  'KUBE_TIMEOUT',
  'KUBE_NOT_FOUND',
  'KUBE_KIND_UNKNOWN',
] as const;

/** @throws KUBE_UNAVAILABLE, KUBE_UNAUTHORIZED, KUBE_NOT_FOUND for the namespace, ABORTED */
export async function statusFacts(
  session: ClusterSession,
  { kube, connection }: Cluster,
  namespace: string,
): Promise<StatusFacts> {
  const { signal, clock, connectOptions } = session;
  const parts = { kube, connection, namespace, signal };
  const unseen: Unseen[] = [];
  const saw = async <Seen>(
    what: string,
    look: () => Promise<Seen>,
    isByTheWay = false,
  ): Promise<Seen | undefined> => {
    try {
      return await look();
    } catch (error) {
      if (!isEngineError(error) || isEngineError(error, ...FATAL)) throw error;
      if (!isByTheWay && isEngineError(error, ...NOTHING)) throw error;
      unseen.push(unseenOf(what, error));
      return undefined;
    }
  };
  const byTheWay = <Seen>(what: string, look: () => Promise<Seen>) => saw(what, look, true);
  const sets = await saw('DaemonSets of agents', () => findAgents(kube, namespace, signal));
  const agentPods = await saw('pods of agents', () => listAgentPods(kube, namespace, signal));
  const controllerPods = await saw('pods of the controller', async () =>
    (await listControllerPods(parts)).filter(pod => !isOver(pod)),
  );
  const hasController = (controllerPods ?? []).length > 0;
  const overview = hasController
    ? await byTheWay('what the controller knows (queue, rates, caches)', () =>
        askThroughTunnel({ ...parts, clock, connectOptions }),
      )
    : undefined;
  const listed = await saw('moves', () =>
    listMoves(kube, namespace, { nowMs: clock.now(), signal }),
  );
  for (const what of listed?.unseen ?? []) {
    unseen.push({ what, why: 'you may not list them', code: 'KUBE_FORBIDDEN' });
  }
  const moves = listed && withRates(listed.moves, overview);
  return {
    namespace,
    agents: sets?.map(agentSet),
    agentsNotReady: agentPods?.filter(pod => !isReady(pod)).map(notReady),
    controller:
      controllerPods &&
      (await byTheWay('leader of the controller', () =>
        controllerState(parts, controllerPods, overview),
      )),
    locations: await saw('storage locations', () => badLocations(parts)),
    repositories: await saw('repositories', () => badRepositories(parts)),
    running: moves?.filter(isRunning).toSorted((one, other) => other.ageMs - one.ageMs),
    waiting: moves && (await waitingMoves(parts, moves.filter(isWaiting), overview, byTheWay)),
    failed: moves?.filter(move => hasFailed(move, clock.now())).toSorted(newestFirst),
    caches:
      overview === undefined
        ? await cachesOfAgents(parts, agentPods ?? [], byTheWay)
        : cachesOfNodes(overview),
    unseen,
  };
}

function unseenOf(what: string, error: EngineError): Unseen {
  return { what, why: messageOf(error), code: error.code };
}

type Parts = Pick<Cluster, 'kube'> & {
  readonly namespace: string;
  readonly signal: AbortSignal;
};

type SetOfAgents = Awaited<ReturnType<typeof findAgents>>[number];

function agentSet({ metadata, spec, status }: SetOfAgents): AgentSet {
  const template = spec?.template?.spec;
  const { desiredNumberScheduled: wanted = 0, numberReady: ready = 0 } = status ?? {};
  const whose = isOurs(template) ? 'Stevedore' : 'Velero';
  return { name: metadata.name, whose, version: versionOf(containerOf(template)), wanted, ready };
}

/** By the tag of its image, which a digest may stand in place of. */
function versionOf(container: { readonly image?: string } | undefined): string {
  return /:([\w.-]+)(?:@|$)/.exec(container?.image ?? '')?.[1] ?? '';
}

function notReady({ metadata, spec, status }: AgentPod): NotReady {
  const { containerStatuses = [], phase = '' } = status ?? {};
  const waits = containerStatuses.map(({ state }) => state?.waiting?.reason ?? '');
  const why = waits.find(reason => reason !== '') ?? (phase === 'Running' ? 'not ready' : phase);
  return { name: metadata.name, node: spec?.nodeName ?? '', why };
}

/** Evicted, for example; the Deployment has another one in its place. */
function isOver({ status }: { readonly status?: { readonly phase?: string } }): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded';
}

async function controllerState(
  parts: Parts,
  pods: Awaited<ReturnType<typeof listControllerPods>>,
  overview: ClusterOverview | undefined,
): Promise<ControllerState | null> {
  const [first] = pods;
  if (first === undefined) return null;
  return {
    version: overview?.version ?? versionOf(first.spec?.containers?.[0]),
    wanted: pods.length,
    ready: pods.filter(isReady).length,
    leader: overview?.leader ?? (await leaderOf(parts, leaseNameOf(first))),
    isStarting: overview?.isStarting,
  };
}

async function badLocations({ kube, namespace, signal }: Parts): Promise<StorageState> {
  const all = await listIfKnown<StorageLocation>(kube, STORAGE_LOCATIONS, namespace, signal);
  return stateOf(all, 'Available');
}

async function badRepositories({ kube, namespace, signal }: Parts): Promise<StorageState> {
  const all = await listIfKnown<BackupRepository>(kube, REPOSITORIES, namespace, signal);
  return stateOf(all, 'Ready');
}

function stateOf(all: readonly (StorageLocation | BackupRepository)[], good: string) {
  const bad = all
    .filter(({ status }) => status?.phase !== good)
    .map(({ metadata: { name }, status: { phase = '', message = '' } = {} }) => {
      return { name, phase: phase === '' ? 'New' : phase, message };
    });
  return { count: all.length, bad };
}

function isRunning({ phase, isOver }: ListedMove): boolean {
  return !isOver && (phase === 'InProgress' || phase === 'Canceling');
}

function isWaiting(move: ListedMove): boolean {
  return !move.isOver && !isRunning(move);
}

function hasFailed({ isOver, phase, endedMs }: ListedMove, nowMs: number): boolean {
  return isOver && phase !== 'Completed' && nowMs - (endedMs ?? nowMs) < DAY_MS;
}

function newestFirst(one: ListedMove, other: ListedMove): number {
  return (other.endedMs ?? Infinity) - (one.endedMs ?? Infinity) || one.ageMs - other.ageMs;
}
