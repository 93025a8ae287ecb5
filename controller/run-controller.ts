// The controller put together: what serves health first, so that it can be seen what is missing;
// where agents come in, who are turned away until this controller leads; and then one term after
// the other, until it is told to end.

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { serveHealth } from '#agent/health.ts';
import type { Log } from '#agent/log.ts';
import { Readiness } from '#agent/readiness.ts';
import { refusedRights } from '#agent/refused-rights.ts';
import { annotatePods } from '#controller/annotator/annotate-pods.ts';
import { AnnotatorCounts } from '#controller/annotator/annotator-counts.ts';
import { LeftoverCounts } from '#controller/nothing-stuck/leftover-counts.ts';
import { watchStuck } from '#controller/nothing-stuck/watch-stuck.ts';
import type { Clock } from '#engine/base/clock.ts';
import { messageOf } from '#engine/base/errors.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { connect } from '#kube/kube-config.ts';
import { type SessionCall, SessionServer } from '#proto/session-server.ts';
import { RateWindows } from './bandwidth/rate-windows.ts';
import type { ControllerConfig } from './config-table.ts';
import { Door } from './door.ts';
import { Leadership, type LeaseNews } from './leadership/leadership.ts';
import { ControllerMetrics } from './metrics.ts';
import { describeOverview } from './overview/describe-overview.ts';
import { OverviewDesk } from './overview/overview-desk.ts';
import { OverviewReaders } from './overview/overview-readers.ts';
import { RecentFailures } from './overview/recent-failures.ts';
import { PreCopyCounts } from './pre-copy/pre-copy-counts.ts';
import { watchPreCopies } from './pre-copy/watch-pre-copies.ts';
import { refusalLog } from './refusal-log.ts';
import { RefusalCounts } from './sessions/refusals.ts';
import {
  listenInPlainText,
  type ListenerParts,
  listenWithTls,
  type SessionListener,
} from './sessions/session-listener.ts';
import { readTlsPair, watchTlsFiles } from './sessions/tls-files.ts';
import { TokenReviews } from './sessions/token-reviews.ts';
import { DEFAULT_LIMITS, type SlotLimits } from './slots/slot-limits.ts';
import { SettingsWatch } from './settings-watch.ts';
import { serveStatus } from './status-service.ts';
import { reign, type TermParts, type TermState } from './term.ts';

export interface ControllerParts {
  readonly log: Log;
  readonly clock: Clock;
  /** Of the program, for people. */
  readonly version: string;
  /** Aborted when the process is told to end. */
  readonly signal: AbortSignal;
  /** Reads the settings again; without it they stay what they are. @throws USAGE */
  readonly readAgain?: () => ControllerConfig;
}

/**
 * Returns when it was told to end and has done so.
 * @throws USAGE, KUBE_CONFIG_INVALID, COORDINATOR_TLS_INVALID when it cannot even begin
 */
export async function runController(
  config: ControllerConfig,
  parts: ControllerParts,
): Promise<void> {
  const { log, clock } = parts;
  const counts = new RefusalCounts();
  // Who leads next need not ask for a thousand tokens when all that has waited comes in.
  const prepare = ({ token }: SessionCall) => {
    if (token !== undefined) reviews.nodeOf(token).catch(() => undefined);
  };
  const door = new Door({ counts, clock, prepare });
  let state: TermState | undefined;
  let leader = '';
  const annotated = new AnnotatorCounts();
  const preCopies = new PreCopyCounts();
  const leftovers = new LeftoverCounts();
  const failures = new RecentFailures(clock);
  let overviews: OverviewDesk | undefined;
  const server = new SessionServer({
    ...{ clock, onCall: door.onCall },
    onOverview: call => overviews?.onOverview(call),
  });
  const settings = watchSettings(config, parts, () => state);
  using metrics = new ControllerMetrics({
    ...{ clock, counts, annotated, preCopies, leftovers },
    areSettingsValid: () => settings.isValid,
    connectionCount: () => server.connectionCount,
    state: () => state,
  });
  const readiness = new Readiness();
  readiness.set('lease', 'it was not looked at yet');
  const { metricsAddress: address } = config;
  await using _health = await serveHealth({ address, readiness, registry: metrics.registry, log });
  const { kubeconfig, kubecontext: context, namespace } = config;
  await using _status = await serveStatus({
    ...{ address: config.statusAddress, namespace, clock, log, failures },
    ...{ version: parts.version, leader: hostname() },
    state: () => state,
    following: () => leader,
  });
  const connection = await connect({ kubeconfig, context });
  // What it cannot be without, the Lease, is a check of its own.
  const isOptional = () => true;
  const onAttempt = refusedRights({ log, readiness, isOptional, namespace });
  const client = new HttpKubeClient(connection, { onAttempt });
  const reviews = new TokenReviews({ client, expected: agentsOf(config), clock });
  let listener: SessionListener | undefined;
  try {
    overviews = openOverviews(config, parts, {
      ...{ client, counts },
      state: () => state,
      leader: () => leader,
    });
    const onConnection = server.inject.bind(server);
    listener = await listenForAgents(config, parts, { counts, onConnection });
    log.info({ port: listener.port }, 'agents may connect');
    await lead(() => settings.config, parts, {
      ...{ client, door, counts, metrics, readiness, reviews },
      onState: now => (state = now),
      onLeader: name => (leader = name),
      onFailed: (node, failed) => failures.heard(node, failed),
      alongside: [
        signal => annotate(config, parts, { client, annotated, readiness }, signal),
        signal =>
          copyAhead(config, parts, { client, preCopies, readiness, state: () => state }, signal),
        signal =>
          endWhatIsStuck(
            config,
            parts,
            { client, leftovers, failures, state: () => state },
            signal,
          ),
      ],
    });
  } finally {
    await listener?.close();
    server.stop();
    connection.close();
  }
}

async function listenForAgents(
  { listenAddress: at, plaintext, tlsDir }: ControllerConfig,
  { log, clock, signal }: ControllerParts,
  parts: ListenerParts,
): Promise<SessionListener> {
  if (plaintext || tlsDir === undefined) {
    log.warn({}, 'agents are listened to in plain text');
    return await listenInPlainText(at, parts);
  }
  const paths = { certificatePath: join(tlsDir, 'tls.crt'), keyPath: join(tlsDir, 'tls.key') };
  const current = await readTlsPair(paths, clock.now());
  const listener = await listenWithTls(current, at, parts);
  void watchTlsFiles({
    ...{ paths, current, clock, signal },
    onChanged: pair => {
      listener.replace(pair);
      log.info({}, 'the certificate was replaced');
    },
    onFault: error => log.warn({ error }, 'the certificate stays what it was'),
  });
  return listener;
}

interface OverviewParts {
  readonly client: KubeClient;
  readonly counts: RefusalCounts;
  readonly state: () => TermState | undefined;
  readonly leader: () => string;
}

function openOverviews(
  { audience, namespace }: ControllerConfig,
  { clock, version }: ControllerParts,
  { client, counts, state, leader }: OverviewParts,
): OverviewDesk {
  const readers = new OverviewReaders({ client, clock, audience, namespace });
  return new OverviewDesk({
    ...{ clock, counts, leader },
    mayRead: token => readers.admit(token),
    describe: () => {
      const now = state();
      const facts = { version, leader: hostname(), nowMs: clock.monotonic() };
      return now && describeOverview(now, facts);
    },
  });
}

function watchSettings(
  config: ControllerConfig,
  { log, clock, signal, readAgain }: ControllerParts,
  state: () => TermState | undefined,
): SettingsWatch {
  const watch = new SettingsWatch(config, {
    ...{ log, clock, signal, read: readAgain ?? (() => config) },
    onChange: changed => {
      const now = state();
      now?.desk.setLimits(limitsOf(changed));
      now?.shares.setRates(ratesOf(changed));
    },
  });
  if (readAgain) void watch.run();
  return watch;
}

interface LeadParts {
  readonly client: KubeClient;
  readonly door: Door;
  readonly counts: RefusalCounts;
  readonly metrics: ControllerMetrics;
  readonly readiness: Readiness;
  readonly reviews: TokenReviews;
  readonly onState: (state: TermState | undefined) => void;
  /** Another one leads, or nobody. */
  readonly onLeader: (name: string) => void;
  readonly onFailed: TermParts['onFailed'];
  readonly alongside: TermParts['alongside'];
}

async function lead(
  configNow: () => ControllerConfig,
  { log, clock, version, signal }: ControllerParts,
  parts: LeadParts,
): Promise<void> {
  const { client, door, counts, metrics, readiness, reviews } = parts;
  const { onState, onLeader, onFailed, alongside } = parts;
  const config = configNow();
  const { namespace } = config;
  const leadership = new Leadership({
    ...{ client, clock },
    name: { namespace, name: config.leaseName },
    // The name of the pod, and which process of it.
    identity: `${hostname()}_${randomUUID()}`,
    leaseMs: config.leaseDuration,
    onNews: news => {
      if (news.kind === 'renewed') return door.turnAway();
      if (news.kind === 'follows') onLeader(nameOf(news.leader));
      tell(news, log, readiness);
    },
  });
  await leadership.run(signal, term =>
    reign(term, {
      ...{ client, clock, door, counts, version, onState, onFailed, alongside },
      agents: agentsOf(config),
      rates: ratesOf(configNow()),
      limits: limitsOf(configNow()),
      nodeOf: token => reviews.nodeOf(token),
      hasBeen: epoch => leadership.hasBeen(epoch),
      onRefused: refusalLog(log, clock),
      onNodesUnknown: error => {
        log.warn({ error }, 'which nodes have agents is not known: it grants after a lease time');
      },
      onGranted: (grants, desk) => metrics.granted(grants, desk),
    }),
  );
}

async function annotate(
  { annotator, annotatorRules: rules, annotatorDryRun: isDryRun }: ControllerConfig,
  { log, clock }: ControllerParts,
  parts: Pick<LeadParts, 'client' | 'readiness'> & { readonly annotated: AnnotatorCounts },
  signal: AbortSignal,
): Promise<void> {
  if (!annotator) return;
  const { client, annotated: counts, readiness } = parts;
  const onMissing = (missing: string | undefined) => readiness.setOptional('annotator', missing);
  await annotatePods({ client, clock, log, rules, isDryRun, counts, onMissing }, signal);
}

async function copyAhead(
  { preCopy, namespace }: ControllerConfig,
  { log, clock }: ControllerParts,
  parts: Pick<LeadParts, 'client' | 'readiness'> &
    Pick<OverviewParts, 'state'> & { readonly preCopies: PreCopyCounts },
  signal: AbortSignal,
): Promise<void> {
  if (!preCopy) return;
  const { client, preCopies: counts, readiness, state } = parts;
  const onMissing = (missing: string | undefined) => readiness.setOptional('pre-copy', missing);
  const sessions = () => state()?.sessions;
  await watchPreCopies({ client, clock, log, namespace, counts, sessions, onMissing }, signal);
}

async function endWhatIsStuck(
  config: ControllerConfig,
  { log, clock }: ControllerParts,
  parts: Pick<OverviewParts, 'client' | 'state'> & {
    readonly leftovers: LeftoverCounts;
    readonly failures: RecentFailures;
  },
  signal: AbortSignal,
): Promise<void> {
  if (!config.nothingStuck) return;
  const { client, leftovers, failures, state } = parts;
  const { namespace, agentServiceAccount: serviceAccount } = config;
  const { agentAbsence: agentAbsenceMs, startDeadline: startDeadlineMs } = config;
  const hasSession = (node: string) => state()?.sessions.session(node) !== undefined;
  const limits = { agentAbsenceMs, startDeadlineMs };
  await watchStuck(
    {
      ...{ client, clock, log, namespace, serviceAccount, hasSession, limits, leftovers },
      onEnded: ({ metadata, resource, pod, node = '' }, message) => {
        const { uid: id = '', name, namespace: own = '' } = metadata;
        const whose = { namespace: pod?.namespace ?? own, pod: pod?.name ?? '', volumeName: '' };
        failures.ended({ id, move: `${resource.kind}/${name}`, ...whose, message }, node);
      },
    },
    signal,
  );
}

/** Of the pod; see identity. */
function nameOf(identity: string): string {
  return identity.replace(/_[^_]*$/, '');
}

/** Whose tokens are let in. */
function agentsOf({ audience, namespace, agentServiceAccount }: ControllerConfig) {
  return { audience, namespace, serviceAccount: agentServiceAccount };
}

function ratesOf(config: ControllerConfig): RateWindows {
  const { uploadRate: uploadBytesPerSecond, downloadRate: downloadBytesPerSecond } = config;
  return new RateWindows({ uploadBytesPerSecond, downloadBytesPerSecond }, config.rateWindows);
}

function limitsOf(config: ControllerConfig): SlotLimits {
  return {
    ...DEFAULT_LIMITS,
    clusterMax: config.clusterSlots,
    nodeMax: config.nodeSlots,
    storageClassMax: config.storageClassSlots,
    locationMax: config.locationSlots,
  };
}

function tell(news: Exclude<LeaseNews, { kind: 'renewed' }>, log: Log, readiness: Readiness): void {
  if (news.kind === 'troubled') {
    // Whoever was ready stays so: agents that are connected go on.
    if (!readiness.isReady) readiness.set('lease', messageOf(news.error));
    log.warn({ error: news.error }, 'the API server could not be asked about the Lease');
    return;
  }
  readiness.set('lease', undefined);
  switch (news.kind) {
    case 'leads':
      readiness.note = `it leads, epoch ${news.epoch}`;
      return log.info({ epoch: news.epoch }, 'this controller leads');
    case 'follows':
      readiness.note = `it stands by; ${news.leader === '' ? 'nobody' : news.leader} leads`;
      return log.info({ leader: news.leader }, 'this controller stands by');
    case 'lost':
      return log.warn({ epoch: news.epoch, why: news.why }, 'the Lease is lost');
    case 'released':
      return log.info({ epoch: news.epoch }, 'the Lease is given back');
  }
}
