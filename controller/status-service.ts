// The status page, served for as long as the controller runs. It decides nothing, so that it cannot
// be served is no reason for the controller not to be there.

import { BoundedServer } from '#agent/bounded-server.ts';
import type { ListenAddress } from '#agent/config-values.ts';
import type { Log } from '#agent/log.ts';
import { answerStatus } from '#controller/status-page/answer-status.ts';
import type { StatusView } from '#controller/status-page/status-view.ts';
import type { Clock } from '#engine/base/clock.ts';
import { describeOverview, type OverviewFacts } from './overview/describe-overview.ts';
import { KeptBriefly } from './overview/kept-briefly.ts';
import type { RecentFailures } from './overview/recent-failures.ts';
import type { TermState } from './term.ts';

export interface StatusServiceParts extends Omit<OverviewFacts, 'nowMs'> {
  /** Undefined for none. */
  readonly address: ListenAddress | undefined;
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly failures: Pick<RecentFailures, 'list'>;
  /** Undefined while somebody else reigns. */
  readonly state: () => TermState | undefined;
  /** Whoever leads; empty while nobody does. */
  readonly following: () => string;
}

export async function serveStatus(parts: StatusServiceParts): Promise<AsyncDisposable> {
  const { address, namespace, clock, log, following, state } = parts;
  const nothing = { [Symbol.asyncDispose]: async () => undefined };
  if (address === undefined) return nothing;
  const kept = new KeptBriefly<StatusView | undefined>(clock);
  // Not what was seen while it led.
  const view = () => (state() === undefined ? undefined : kept.of(() => viewOf(parts)));
  const standby = () => ({ leader: following(), namespace, port: address.port });
  try {
    const server = await BoundedServer.listen({
      ...{ address, flag: '--status-address' },
      answer: asked => answerStatus(asked, { view, standby }),
      onError: error => log.warn({ error }, 'the status page cannot be shown'),
    });
    log.info({ port: server.port }, 'the status page is served');
    return server;
  } catch (error) {
    log.warn({ error }, 'the status page is not served');
    return nothing;
  }
}

function viewOf({ version, leader, clock, failures, state }: StatusServiceParts) {
  const now = state();
  if (now === undefined) return undefined;
  const { windows } = now.shares;
  const nowMs = clock.now();
  return {
    overview: describeOverview(now, { version, leader, nowMs: clock.monotonic() }),
    rates: { outside: windows.outside, windows: windows.describe(nowMs) },
    failures: failures.list(),
    nowMs,
  };
}
