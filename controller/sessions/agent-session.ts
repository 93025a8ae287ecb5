// One agent that has been let in: who it is, what it says once it was looked at, and what it is
// told. Speaks in values; the wire is behind it.

import type { EngineError } from '#engine/base/errors.ts';
import { answerToWire } from '#proto/answer-wire.ts';
import {
  type AgentHello,
  type AgentSaying,
  type BandwidthShares,
  sayingFromWire,
  sharesToWire,
} from '#proto/agent-saying.ts';
import { type PreCopy, preCopiesToWire } from '#proto/pre-copy-wire.ts';
import type { ReadAgentMessage } from '#proto/session-codec.ts';
import type { SessionCall } from '#proto/session-server.ts';
import type { SlotAnswer } from '#proto/slot-messages.ts';
import type { FloodGate } from './flood-gate.ts';
import { refuse } from './refusals.ts';

export interface DrainOrder {
  readonly isActive: boolean;
  readonly reason: string;
}

export class AgentSession {
  readonly hello: AgentHello;
  /** Monotonic. */
  readonly openedAtMs: number;
  readonly #call: SessionCall;
  readonly #gate: FloodGate;

  constructor(call: SessionCall, hello: AgentHello, gate: FloodGate, openedAtMs: number) {
    this.#call = call;
    this.hello = hello;
    this.#gate = gate;
    this.openedAtMs = openedAtMs;
  }

  get node(): string {
    return this.hello.node;
  }

  /**
   * What a message says.
   * @throws COORDINATOR_MESSAGE_INVALID, COORDINATOR_FLOODED
   */
  understand(message: ReadAgentMessage, bytes: number, nowMs: number): AgentSaying {
    if (!this.#gate.admits(bytes, nowMs)) {
      throw refuse('flood', 'the agent says more than an agent has to say');
    }
    if (message.hello) throw refuse('malformed', 'a session has one hello');
    return sayingFromWire(message, this.hello);
  }

  /**
   * Slots have changed, or a report was heard. `answer` is made when it can be sent; nothing is
   * where it gives undefined.
   */
  tellSlots(answer: () => SlotAnswer | undefined): void {
    this.#call.put('slots', () => {
      const made = answer();
      return made && { slots: answerToWire(made) };
    });
  }

  tellShares(shares: () => BandwidthShares): void {
    this.#call.put('shares', () => sharesToWire(shares()));
  }

  /** All that are wanted of the node. To be told only where its hello has the capability. */
  tellPreCopies(volumes: () => readonly PreCopy[]): void {
    this.#call.put('pre-copies', () => ({ preCopies: preCopiesToWire(volumes()) }));
  }

  tellDrain({ isActive, reason }: DrainOrder): void {
    this.#call.put('drain', () => ({ drain: { active: isActive, reason } }));
  }

  /** `retryMs`: when the agent should come back. */
  end(error: EngineError | undefined, retryMs?: number): void {
    this.#call.end(error, retryMs);
  }
}
