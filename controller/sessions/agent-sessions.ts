// Lets agents in: a token that the API server knows, a hello that fits it, one session for each
// node. Who is turned away, and who is put out because of what it says, is told why and counted;
// nothing that one agent does reaches the session of another.

import { abortable } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { deadline } from '#engine/base/deadline.ts';
import type { EngineError } from '#engine/base/errors.ts';
import { type AgentSaying, helloFromWire } from '#proto/agent-saying.ts';
import type { ReadAgentMessage } from '#proto/session-codec.ts';
import type { SessionCall } from '#proto/session-server.ts';
import { LEASE_MS, REPORT_MS } from '#proto/slot-messages.ts';
import { CAPABILITIES, HELLO_MS_MAX, WIRE_VERSION } from '#proto/wire-limits.ts';
import { AgentSession } from './agent-session.ts';
import { FLOOD_LIMITS, FloodGate, type FloodLimits } from './flood-gate.ts';
import { ADDRESS_POLICY, HoldOff } from './hold-off.ts';
import { asRefusal, isMisbehaviour, refusalOf, refuse, type Refusal } from './refusals.ts';
import type { RefusalCounts } from './refusals.ts';

/** What the sessions are for. Must not throw, except to refuse what was said. */
export interface SessionEvents {
  readonly opened: (session: AgentSession) => void;
  readonly heard: (session: AgentSession, saying: AgentSaying) => void;
  /** Once for each that was opened; after the one that takes it over was. */
  readonly closed: (session: AgentSession) => void;
}

export interface SessionParts {
  readonly version: string;
  readonly nodeOf: (token: string) => Promise<string>;
  readonly counts: RefusalCounts;
  readonly events: SessionEvents;
  readonly clock: Clock;
  /** Of each refusal and each end that was not in peace, for the log. */
  readonly onRefused?: (refused: RefusedSession) => void;
  /** 0 <= random() < 1 */
  readonly random?: () => number;
  readonly leaseMs?: number;
  readonly floodLimits?: FloodLimits;
}

export interface RefusedSession {
  readonly reason: Refusal;
  readonly error: EngineError;
  readonly address: string;
  /** Where it was let in. */
  readonly node: string | undefined;
}

const SESSIONS_MAX = 5_000;
/** Calls whose token is being looked at, or that have not said hello. */
const PENDING_MAX = 2_000;
/** After that an agent has to prove again who it is; up to a tenth sooner. */
const SESSION_MS_MAX = 30 * 60_000;
/** When who was put out for what it said may come back. */
const MISBEHAVED_MS = 10_000;
const HELD_KEYS_MAX = 10_000;
const BUSY_RETRY_MS = 5_000;

export class AgentSessions {
  readonly #parts: SessionParts;
  readonly #byNode = new Map<string, AgentSession>();
  readonly #calls = new Map<AgentSession, SessionCall>();
  readonly #addresses: HoldOff;
  readonly #nodes: HoldOff;
  #pendingCount = 0;
  #isStopping = false;

  constructor(parts: SessionParts) {
    const keysMax = HELD_KEYS_MAX;
    this.#parts = parts;
    this.#addresses = new HoldOff({ ...ADDRESS_POLICY, keysMax });
    this.#nodes = new HoldOff({ failuresMax: 1, holdMs: MISBEHAVED_MS, keysMax });
  }

  get count(): number {
    return this.#byNode.size;
  }

  /** Those that have one. */
  get nodes(): Iterable<string> {
    return this.#byNode.keys();
  }

  session(node: string): AgentSession | undefined {
    return this.#byNode.get(node);
  }

  /** Of SessionServer. */
  readonly onCall = (call: SessionCall): void => {
    const fault = this.#faultAtDoor(call);
    if (fault !== undefined) return this.#turnAway(call, fault);
    void this.#admit(call);
  };

  /** Ends the session because of something that it said. */
  putOut(session: AgentSession, error: EngineError): void {
    this.#close(session, error);
  }

  /** Ends all, who may come back, to whoever is there then, after `retryMs`. */
  stop(retryMs = 0): void {
    this.#isStopping = true;
    const error = refuse('stopping', 'the controller is being stopped');
    for (const session of [...this.#byNode.values()]) this.#close(session, error, retryMs);
  }

  #faultAtDoor(call: SessionCall): EngineError | undefined {
    const nowMs = this.#parts.clock.monotonic();
    if (this.#isStopping) return refuse('stopping', 'the controller is being stopped');
    const heldMs = this.#addresses.heldMs(call.address, nowMs);
    if (heldMs > 0) return heldOff('this address has failed too often', heldMs);
    if (this.#pendingCount >= PENDING_MAX || this.#byNode.size >= SESSIONS_MAX) {
      return refuse('too-many', 'too many agents are here', { retryAfterMs: BUSY_RETRY_MS });
    }
    return undefined;
  }

  async #admit(call: SessionCall): Promise<void> {
    const { clock, nodeOf } = this.#parts;
    const { token } = call;
    this.#pendingCount += 1;
    const late = refuse('no-hello', `no hello within ${HELLO_MS_MAX / 1000} s`);
    using limit = deadline(clock, HELLO_MS_MAX, late);
    try {
      if (token === undefined) throw refuse('no-token', 'there is no token');
      const either = AbortSignal.any([call.gone, limit.signal]);
      const node = await abortable(nodeOf(token), either);
      const heldMs = this.#nodes.heldMs(node, clock.monotonic());
      if (heldMs > 0) throw heldOff('this node was put out a moment ago', heldMs);
      await abortable(this.#greeted(call, node), either);
    } catch (error) {
      // An agent that has gone away meanwhile has not been refused anything.
      if (!call.gone.aborted && !call.isEnded) this.#turnAway(call, asRefusal(error));
    } finally {
      this.#pendingCount -= 1;
    }
  }

  /** Reads from now on; resolves when the session is open. */
  #greeted(call: SessionCall, node: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let session: AgentSession | undefined;
    call.read({
      onMessage: (message, bytes) => {
        if (session !== undefined) return this.#hear(session, message, bytes);
        session = this.#open(call, node, message);
        resolve();
      },
      onHalfClose: () => {
        if (session === undefined) reject(refuse('no-hello', 'an end without a hello'));
        else this.#close(session, undefined);
      },
      onFault: error => {
        if (session === undefined) reject(error);
        else this.#close(session, error);
      },
    });
    return promise;
  }

  #open(call: SessionCall, node: string, message: ReadAgentMessage): AgentSession {
    const { clock, events, floodLimits = FLOOD_LIMITS, version, leaseMs = LEASE_MS } = this.#parts;
    if (!message.hello) throw refuse('malformed', 'a session begins with a hello');
    const hello = helloFromWire(message.hello);
    if (hello.node !== node) throw refuse('foreign-node', `the token is of another node`);
    if (hello.wireVersion < 1) throw refuse('version', 'there is no version 0 of the wire');
    const before = this.#byNode.get(node);
    if (before !== undefined && before.hello.session > hello.session) {
      throw refuse('earlier-start', 'an agent that started later is there');
    }
    const nowMs = clock.monotonic();
    const session = new AgentSession(call, hello, new FloodGate(floodLimits, nowMs), nowMs);
    const wireVersion = Math.min(WIRE_VERSION, hello.wireVersion);
    const welcome = { version, wireVersion, capabilities: [...CAPABILITIES], leaseMs };
    call.put('welcome', () => ({ welcome: { ...welcome, reportMs: REPORT_MS } }));
    this.#byNode.set(node, session);
    this.#calls.set(session, call);
    const onGone = () => this.#lose(session);
    call.gone.addEventListener('abort', onGone, { once: true });
    void this.#age(session, call);
    events.opened(session);
    if (before !== undefined) {
      this.#close(before, refuse('taken-over', 'the node has opened another session'));
    }
    return session;
  }

  #lose(session: AgentSession): void {
    if (!this.#calls.has(session)) return;
    this.#parts.counts.add('cut');
    this.#close(session, undefined);
  }

  #hear(session: AgentSession, message: ReadAgentMessage, bytes: number): void {
    const { clock, events } = this.#parts;
    const saying = session.understand(message, bytes, clock.monotonic());
    if (saying.kind === 'unknown') this.#parts.counts.add('not-understood');
    else events.heard(session, saying);
  }

  async #age(session: AgentSession, call: SessionCall): Promise<void> {
    const { clock, random = Math.random } = this.#parts;
    try {
      await clock.sleep(SESSION_MS_MAX * (1 - 0.1 * random()), call.gone);
    } catch {
      return;
    }
    this.#close(session, refuse('aged', 'a token is looked at every half an hour'), 0);
  }

  #close(session: AgentSession, error: EngineError | undefined, retryMs?: number): void {
    const call = this.#calls.get(session);
    if (call === undefined) return;
    const { clock, events } = this.#parts;
    const { node } = session;
    this.#calls.delete(session);
    if (this.#byNode.get(node) === session) this.#byNode.delete(node);
    if (error === undefined) session.end(undefined);
    else {
      const isPutOut = isMisbehaviour(refusalOf(error));
      if (isPutOut) this.#nodes.failed(node, clock.monotonic());
      this.#tell(call, error, isPutOut ? MISBEHAVED_MS : retryMs, node);
    }
    events.closed(session);
  }

  #turnAway(call: SessionCall, error: EngineError): void {
    const reason = refusalOf(error);
    const nowMs = this.#parts.clock.monotonic();
    // Who cannot be let in for reasons of ours, or of its own other half, has not failed.
    if (IS_FAILURE[reason] === true) this.#addresses.failed(call.address, nowMs);
    const { retryAfterMs } = error.details;
    const retryMs = typeof retryAfterMs === 'number' ? retryAfterMs : undefined;
    this.#tell(call, error, retryMs, undefined);
  }

  #tell(
    call: SessionCall,
    error: EngineError,
    retryMs: number | undefined,
    node: string | undefined,
  ): void {
    const reason = refusalOf(error);
    this.#parts.counts.add(reason);
    call.end(error, retryMs);
    this.#parts.onRefused?.({ reason, error, address: call.address, node });
  }
}

const IS_FAILURE: Partial<Record<Refusal, boolean>> = {
  'no-token': true,
  'token-refused': true,
  'foreign-audience': true,
  'foreign-account': true,
  'no-node': true,
  'foreign-node': true,
  'no-hello': true,
  malformed: true,
  'too-large': true,
};

function heldOff(why: string, heldMs: number): EngineError {
  return refuse('held-off', `${why}; come back later`, { retryAfterMs: heldMs });
}
