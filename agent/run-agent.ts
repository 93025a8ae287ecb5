// The agent put together, in the order in which it comes up: what serves health first, so that it
// can be seen what is missing; what has to be there; what all moves share; the reconcilers; and all
// of it down again within the grace period.

import { once } from 'node:events';
import { availableParallelism, hostname } from 'node:os';
import type { Clock } from '#engine/base/clock.ts';
import type { EngineError } from '#engine/base/errors.ts';
import { defaultMemoryBytes } from '#engine/base/memory-budget.ts';
import { settlesWithin } from '#engine/base/settles-within.ts';
import { SmoothRate } from '#engine/base/smooth-rate.ts';
import type { Cache, Traffic } from '#engine/index.ts';
import { FailedMoves } from '#agent/coordinator/failed-moves.ts';
import { PreCopying } from '#agent/pre-copy/pre-copying.ts';
import { yieldingMover } from '#agent/pre-copy/yielding-mover.ts';
import { repositoryShares } from '#agent/repositories/repository-shares.ts';
import { SharedRepositories } from '#agent/repositories/shared-repositories.ts';
import { TimedStat } from '#agent/volumes/timed-stat.ts';
import { EngineVolumeMover } from '#agent/volume-mover/engine-volume-mover.ts';
import { EventWriter } from '#kube/events.ts';
import { HttpKubeClient, type RequestAttempt } from '#kube/http-client.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { connect } from '#kube/kube-config.ts';
import { patientReader } from '#kube/patient-reader.ts';
import { cacheEvents } from './cache-events.ts';
import { registerCacheMetrics } from './cache-metrics.ts';
import type { AgentConfig } from './config-table.ts';
import { followGoneRepositories } from './gone-repositories.ts';
import { shareGrace } from './grace-shares.ts';
import { serveHealth } from './health.ts';
import { HidingClient } from './hiding-client.ts';
import { hidingMover } from './hiding-mover.ts';
import { LeftBehind } from './left-behind.ts';
import type { Log } from './log.ts';
import type { SecretTexts } from './log-secrets.ts';
import { measuredMover } from './measured-mover.ts';
import { measuredRepositories } from './measured-repositories.ts';
import { memoryShares } from './memory-shares.ts';
import { AgentMetrics } from './metrics.ts';
import { openMoveSlots, type SlotParts } from './move-slots.ts';
import { runMoves, type RunningMoves } from './run-moves.ts';
import { noticingMover } from './noticing-mover.ts';
import { cacheShareOf, openAgentCache } from './open-agent-cache.ts';
import { readNodeSettings } from './read-node-settings.ts';
import { isOptionalRight } from './permissions.ts';
import { Readiness } from './readiness.ts';
import { refusedRights } from './refused-rights.ts';
import { sayRepositoryConfig } from './repository-config-notices.ts';
import { registerShareMetrics } from './share-metrics.ts';
import { startChecks } from './start-checks.ts';
import { tellOfPreCopies } from './tell-of-pre-copies.ts';
import { openTracing } from './tracing.ts';
import { waitUntilReady } from './wait-until-ready.ts';

/** Source of events. */
const COMPONENT = 'stevedore-node-agent';

/** Of the time to end: for copies ahead of backups, to save their state while moves run on. */
const PRE_COPY_SHARE = 0.25;

export interface AgentParts {
  readonly log: Log;
  readonly secrets: SecretTexts;
  readonly clock: Clock;
  /** Aborted when the process is told to end. */
  readonly signal: AbortSignal;
  /** Told when moves have come to rest: nothing is open that they need. */
  readonly onRest?: () => void;
  /** What of flags, variables and file changes nothing. */
  readonly inert?: readonly string[];
}

export interface AgentEnd {
  /** Held by a volume that does not answer: the process cannot end by itself. */
  readonly hasStuckThreads: boolean;
}

/**
 * Returns when it was told to end and has done so.
 * @throws USAGE, KUBE_CONFIG_INVALID when it cannot even begin
 */
export async function runAgent(config: AgentConfig, parts: AgentParts): Promise<AgentEnd> {
  const { log, signal, inert = [] } = parts;
  for (const what of inert) log.warn({ what }, 'accepted, without effect');
  using metrics = new AgentMetrics(config.nodeName);
  const readiness = new Readiness();
  const leftBehind = new LeftBehind({ metrics, readiness });
  readiness.set('start', 'the agent is starting');
  const { metricsAddress: address } = config;
  await using _health = await serveHealth({ address, readiness, registry: metrics.registry, log });
  const { kubeconfig, kubecontext: context } = config;
  const connection = await connect({ kubeconfig, context });
  try {
    const noteRights = refusedRights({ log, readiness, isOptional: isOptionalRight });
    const onAttempt = (attempt: RequestAttempt) => {
      metrics.traffic.requestEnded(attempt);
      noteRights(attempt);
    };
    const plain = new HttpKubeClient(connection, { onAttempt });
    const client = new HidingClient(plain, parts.secrets.hideIn);
    const stat = new TimedStat({
      clock: parts.clock,
      onHanging: (count, countMax) => {
        log.warn({ volumes: count }, 'volumes do not say what is at their root');
        leftBehind.looksChanged(count, countMax);
      },
    });
    const workParts = { ...parts, client, metrics, readiness, leftBehind, stat };
    const isSettled = await work(config, workParts);
    const hasStuckThreads = !isSettled || leftBehind.count > 0 || stat.pendingCount > 0;
    return { hasStuckThreads };
  } catch (error) {
    // Told to end while it came up: nothing was begun.
    if (!signal.aborted) throw error;
    return { hasStuckThreads: false };
  } finally {
    connection.close();
  }
}

interface WorkParts extends AgentParts {
  readonly client: KubeClient;
  readonly metrics: AgentMetrics;
  readonly readiness: Readiness;
  readonly leftBehind: LeftBehind;
  readonly stat: TimedStat;
}

/** @returns false when something of the moves still holds a thread */
async function work(config: AgentConfig, parts: WorkParts): Promise<boolean> {
  const { client, clock, log, metrics, readiness, signal } = parts;
  const { namespace, nodeName } = config;
  await waitUntilReady(startChecks({ ...config, client }), parts, signal);
  await sayRepositoryConfig(parts, config, signal);
  const node = await readNodeSettings(parts, config, signal);
  const { slotCount } = node;
  const allowedBytes = defaultMemoryBytes();
  const { cacheBytes } = memoryShares(config, { allowedBytes, isCacheInMemory: true });
  const events = new EventWriter({
    ...{ client, clock, component: COMPONENT, nodeName },
    onError: error => log.warn({ error }, 'an event could not be written'),
  });
  const ownPod = { namespace, name: hostname() };
  const tellUsers = cacheEvents({ client, pod: ownPod, emit: events.emit });
  await using cache = await openAgentCache(config, { log, memoryBytes: cacheBytes, tellUsers });
  if (cache !== undefined) registerCacheMetrics(metrics.registry, cache);
  const isCacheInMemory = cache?.location?.kind === 'tmpfs';
  const { processBytes } = memoryShares(config, { allowedBytes, isCacheInMemory });
  const traffic = config.controller && newTraffic(clock);
  if (traffic) registerShareMetrics(metrics.registry, traffic);
  const room = { slotCount, cache, memoryBytes: processBytes, traffic };
  await using repositories = openRepositories(config, parts, room);
  await using _gone = followGoneRepositories({
    ...{ client, clock, namespace },
    onError: error => log.warn({ what: 'BackupRepository', error }, 'watch was interrupted'),
    forget: (gone, ended) => repositories.forget(gone, ended),
    onPhase: (before, now) => metrics.repositoryChanged(before, now),
  });
  const onPreCopies: SlotParts['onPreCopies'] = volumes => preCopying.want(volumes);
  const failed = new FailedMoves({ clock, hide: parts.secrets.hideIn });
  const slotParts = { ...parts, cache, traffic, failed, onPreCopies };
  await using slots = await openMoveSlots(config, slotParts, slotCount);
  const mover = moverOf(config, parts, measuredRepositories(repositories, metrics, clock));
  // At hand before anything can come over the wire.
  const preCopying = new PreCopying({
    ...{ clock, slots: slots.slots, copier: mover },
    report: tellOfPreCopies({ log, metrics, emit: events.emit }),
  });
  const measured = measuredMover(yieldingMover(mover, preCopying), metrics, clock);
  const moves = await runMoves(config, {
    ...parts,
    mover: noticingMover(hidingMover(measured, parts.secrets.hideIn), log),
    doneFiles: mover,
    ...{ node, events, failed },
    tracer: await openTracing(config, parts),
    ...slots,
  });
  readiness.set('start', undefined);
  log.info({ slots: slotCount, cache: config.cacheDir }, 'ready');
  // Most agents have come to rest already, and wait for hours.
  parts.onRest?.();
  if (!signal.aborted) await once(signal, 'abort');
  return await standDown({ moves, preCopying, repositories }, config, parts);
}

interface Room {
  readonly slotCount: number;
  readonly cache: Cache | undefined;
  readonly memoryBytes: number;
  readonly traffic: Traffic | undefined;
}

/** Without a limit until a controller says one. */
function newTraffic(clock: Clock): Traffic {
  return { upload: new SmoothRate(undefined, clock), download: new SmoothRate(undefined, clock) };
}

function openRepositories(
  config: AgentConfig,
  { client, clock, log, metrics, secrets, leftBehind, onRest }: WorkParts,
  room: Room,
): SharedRepositories {
  const { slotCount, cache, memoryBytes, traffic } = room;
  const shares = repositoryShares(slotCount, { memoryBytes, threads: availableParallelism() });
  const { namespace, resourceTimeout: readyTimeoutMs, credentialsFile } = config;
  return new SharedRepositories(
    {
      kube: patientReader(client, { clock, patienceMs: readyTimeoutMs }),
      onSecret: text => secrets.add(text),
      clock,
      cache,
      traffic,
      metrics: metrics.traffic,
      onRetry: metrics.traffic.operationRetried,
      onWarning: harmless(log),
      onRest,
      onLeftBehind: (count, countMax) => {
        log.warn({ repositories: count }, 'volumes that do not answer hold threads');
        leftBehind.changed(count, countMax);
      },
    },
    { namespace, readyTimeoutMs, shares, credentialsFile, cacheShare: cacheShareOf(config) },
  );
}

function moverOf(
  { hostPods, hostPlugins, nodeName, resourceTimeout: patienceMs }: AgentConfig,
  { client, clock, log, stat }: WorkParts,
  repositories: Pick<SharedRepositories, 'acquire'>,
): EngineVolumeMover {
  const kube = patientReader(client, { clock, patienceMs });
  return new EngineVolumeMover(
    { kube, clock, repositories, stat, onWarning: harmless(log) },
    { hostPods, hostPlugins, nodeName },
  );
}

function harmless(log: Log): (error: EngineError) => void {
  return error => log.warn({ error }, 'something went wrong, without harm to the move');
}

interface Working {
  readonly moves: RunningMoves;
  readonly preCopying: PreCopying;
  readonly repositories: SharedRepositories;
}

async function standDown(
  { moves, preCopying, repositories }: Working,
  { shutdownGrace: graceMs }: AgentConfig,
  { log, readiness }: WorkParts,
): Promise<boolean> {
  readiness.set('start', 'the agent is ending');
  const unanswered = (operations: readonly object[]) => {
    if (operations.length > 0) log.warn({ operations }, 'a storage does not answer and is cut off');
  };
  const copying = settlesWithin(preCopying.stop(), graceMs * PRE_COPY_SHARE);
  const { unreported, isSettled } = await moves.stop(graceMs, {
    get unansweredMs() {
      return repositories.unansweredMs;
    },
    givenUp: () => unanswered(repositories.pending),
  });
  const hasCopied = await copying;
  if (unreported.length > 0) log.error({ moves: unreported }, 'moves could not be reported');
  const { isClosed, cut } = await repositories.end(shareGrace(graceMs).closeMs);
  unanswered(cut);
  return isSettled && hasCopied && isClosed;
}
