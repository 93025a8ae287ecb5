// The slot desk behind sessions: reports come in, decisions are made, and each node that is
// concerned is answered. Time is the clock's; nothing is stored.

import type { Clock } from '#engine/base/clock.ts';
import type { AgentHeartbeat, AgentSaying, FailedMove } from '#proto/agent-saying.ts';
import type { SlotAnswer, SlotGrant, SlotReport } from '#proto/slot-messages.ts';
import type { AgentSession } from './sessions/agent-session.ts';
import type { AgentSessions, SessionEvents } from './sessions/agent-sessions.ts';
import { asRefusal, refuse } from './sessions/refusals.ts';
import { preCopiesInTheWay } from './slots/pre-copies-in-the-way.ts';
import type { SlotDesk } from './slots/slot-desk.ts';
import { WaitBoard } from './slots/wait-board.ts';

export interface SlotServiceParts {
  readonly desk: SlotDesk;
  readonly epoch: number;
  readonly clock: Clock;
  /**
   * Whether there has been a controller of that epoch, which is later than ours. An agent that says
   * so is not believed: it would put the controller out for all others.
   */
  readonly hasBeen: (epoch: number) => Promise<boolean>;
  /** Before the nodes are told. Must not throw. */
  readonly onGranted?: (grants: readonly SlotGrant[]) => void;
  /** What agents say of moves that did not end as they should have. Must not throw. */
  readonly onFailed?: (node: string, failed: readonly FailedMove[]) => void;
  /** Once a second, when leases were looked at. Must not throw. */
  readonly onTick?: () => void;
  /** There is a later controller: this one must end. Called once. */
  readonly onDeposed: () => void;
}

/** Between two looks at leases that have ended and gangs that have gathered. */
const TICK_MS = 1_000;

export class SlotService {
  readonly #parts: SlotServiceParts;
  readonly #waits: WaitBoard;
  readonly #heartbeats = new Map<string, AgentHeartbeat>();
  #sessions: Pick<AgentSessions, 'session' | 'putOut'> | undefined;
  readonly events: SessionEvents;

  constructor(parts: SlotServiceParts) {
    this.#parts = parts;
    this.#waits = new WaitBoard(parts.desk);
    this.events = {
      opened: () => undefined,
      heard: (session, saying) => this.#hear(session, saying),
      // Its slots stay its own until their lease ends.
      closed: session => void this.#forgetHeartbeat(session),
    };
  }

  /** The last of each node that has a session. */
  get heartbeats(): ReadonlyMap<string, AgentHeartbeat> {
    return this.#heartbeats;
  }

  /** Sessions and service know each other; this is the second half. */
  use(sessions: Pick<AgentSessions, 'session' | 'putOut'>): void {
    this.#sessions = sessions;
  }

  /** Until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    for (;;) {
      try {
        await clock.sleep(TICK_MS, signal);
      } catch {
        return;
      }
      this.tick();
    }
  }

  /** Ends leases that are over, and gives away what is free. */
  tick(): void {
    const { desk, clock } = this.#parts;
    desk.expire(clock.monotonic());
    this.#decide();
    this.#makeWay();
    this.#parts.onTick?.();
  }

  #hear(session: AgentSession, saying: AgentSaying): void {
    if (saying.kind === 'heartbeat') this.#keep(session.node, saying.heartbeat);
    if (saying.kind !== 'slots') return;
    if (saying.report.epoch > this.#parts.epoch) void this.#doubt(session, saying.report);
    else this.#report(session, saying.report);
  }

  /** Texts are kept once, by whoever takes them. */
  #keep(node: string, heartbeat: AgentHeartbeat): void {
    const { failed } = heartbeat;
    if (failed.length > 0) this.#parts.onFailed?.(node, failed);
    this.#heartbeats.set(node, failed.length > 0 ? { ...heartbeat, failed: [] } : heartbeat);
  }

  #report(session: AgentSession, report: SlotReport): void {
    const { desk, clock, onDeposed } = this.#parts;
    const wasDeposed = desk.isDeposed;
    const hearing = desk.hear(report, clock.monotonic());
    if (hearing.kind === 'deposed' && !wasDeposed) onDeposed();
    if (hearing.kind !== 'heard') return;
    this.#decide(report.node);
    const { twins } = hearing;
    session.tellSlots(() => this.#answer(report.node, twins));
  }

  async #doubt(session: AgentSession, report: SlotReport): Promise<void> {
    try {
      if (await this.#parts.hasBeen(report.epoch)) this.#report(session, report);
      else throw refuse('malformed', 'there has been no controller of that epoch');
    } catch (error) {
      this.#sessions?.putOut(session, asRefusal(error));
    }
  }

  /** Tells every node that was granted something, `besides` one that is told anyway. */
  #decide(besides?: string): void {
    const { desk, clock, onGranted } = this.#parts;
    const grants = desk.decide(clock.monotonic());
    if (grants.length > 0) onGranted?.(grants);
    const nodes = new Set(grants.map(({ node }) => node));
    for (const node of nodes) {
      if (node !== besides) this.#sessions?.session(node)?.tellSlots(() => this.#answer(node));
    }
  }

  /** For moves that wait at a limit of which copies ahead of backups use something. */
  #makeWay(): void {
    const { desk, clock } = this.#parts;
    const ids = preCopiesInTheWay(desk.table, clock.monotonic());
    const nodes = new Set(ids.flatMap(id => desk.revoke(id) ?? []));
    for (const node of nodes) this.#sessions?.session(node)?.tellSlots(() => this.#answer(node));
  }

  #answer(node: string, twins?: readonly string[]): SlotAnswer | undefined {
    const { desk, clock } = this.#parts;
    const answer = desk.answer(node, twins);
    return answer && { ...answer, waits: this.#waits.waitsOf(node, clock.monotonic()) };
  }

  #forgetHeartbeat(session: AgentSession): void {
    if (this.#sessions?.session(session.node) === undefined) this.#heartbeats.delete(session.node);
  }
}
