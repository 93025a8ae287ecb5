// A program for many-agents.test.ts: sessions and slots of a controller, over TLS and in a process
// of their own, which tells what it takes. Told nothing but a certificate and where the API server
// is; imports nothing of the tests that would count.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { giveBackNowAndThen, keepControllerSmall } from '#controller/process-size.ts';
import { AgentSessions } from '#controller/sessions/agent-sessions.ts';
import { RefusalCounts } from '#controller/sessions/refusals.ts';
import { listenWithTls } from '#controller/sessions/session-listener.ts';
import type { TlsPair } from '#controller/sessions/tls-files.ts';
import type { ExpectedAgent } from '#controller/sessions/token-identity.ts';
import { TokenReviews } from '#controller/sessions/token-reviews.ts';
import { SlotService } from '#controller/slot-service.ts';
import { SlotDesk } from '#controller/slots/slot-desk.ts';
import { DEFAULT_LIMITS } from '#controller/slots/slot-limits.ts';
import { systemClock as clock } from '#engine/base/clock.ts';
import { fixedConnection } from '#kube/connection.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import { SessionServer } from '#proto/session-server.ts';

export interface ControllerSetting {
  readonly pair: TlsPair;
  readonly apiUrl: string;
  readonly expected: ExpectedAgent;
}

export interface ControllerFigures {
  readonly port: number;
  readonly sessions: number;
  readonly connections: number;
  readonly heartbeats: number;
  readonly waiting: number;
  readonly residentBytes: number;
  /** Of them, what is no page of a file: those the system can drop and read again. */
  readonly anonymousBytes: number;
  /** User and system. */
  readonly cpuSeconds: number;
}

keepControllerSmall();
// The test sends nothing else first.
const [setting] = (await once(process, 'message')) as [ControllerSetting];
const { pair, apiUrl, expected } = setting;
const client = new HttpKubeClient(fixedConnection(new URL(apiUrl)));
const reviews = new TokenReviews({ client, expected, clock });
const counts = new RefusalCounts();
const epoch = 1;
const desk = new SlotDesk({ epoch, limits: DEFAULT_LIMITS, nodes: [], nowMs: clock.monotonic() });
const service = new SlotService({
  ...{ desk, epoch, clock },
  hasBeen: async () => false,
  onDeposed: () => undefined,
});
const sessions = new AgentSessions({
  ...{ version: 'test', clock, counts, events: service.events },
  nodeOf: token => reviews.nodeOf(token),
});
service.use(sessions);
const server = new SessionServer({ clock, onCall: sessions.onCall });
const onConnection = server.inject.bind(server);
const { port } = await listenWithTls(
  pair,
  { host: '127.0.0.1', port: 0 },
  { counts, onConnection },
);
const { signal } = new AbortController();
void service.run(signal);
void giveBackNowAndThen(clock, signal);

/** proc_pid_status(5) */
function anonymousBytes(): number {
  const [, kib] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kib) * 1024;
}

function tell(): void {
  const { user, system } = process.cpuUsage();
  const figures: ControllerFigures = {
    port,
    sessions: sessions.count,
    connections: server.connectionCount,
    heartbeats: service.heartbeats.size,
    waiting: desk.table.waitingCount,
    residentBytes: process.memoryUsage.rss(),
    anonymousBytes: anonymousBytes(),
    cpuSeconds: (user + system) / 1e6,
  };
  process.send?.(figures);
}

process.on('message', tell);
process.on('disconnect', () => process.exit());
tell();
