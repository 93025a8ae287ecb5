// Why somebody is turned away or a session is ended, each with the code that the agent is told and
// the name that it is counted by.

import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError, isEngineError, messageOf } from '#engine/base/errors.ts';

export const REFUSALS = Object.freeze({
  /** No TLS where there should be some: another protocol, or plain text. */
  'plain-text': 'COORDINATOR_UNAVAILABLE',
  /** A handshake that failed or did not end. */
  handshake: 'COORDINATOR_UNAVAILABLE',
  'no-token': 'COORDINATOR_UNAUTHENTICATED',
  /** The API server does not know the token, or not any more. */
  'token-refused': 'COORDINATOR_UNAUTHENTICATED',
  /** The token is for somebody else than us. */
  'foreign-audience': 'COORDINATOR_UNAUTHENTICATED',
  /** The token is of another service account than the agents'. */
  'foreign-account': 'COORDINATOR_FORBIDDEN',
  /** The token says nothing of a node. */
  'no-node': 'COORDINATOR_FORBIDDEN',
  /** The agent says that it is another node than its token does. */
  'foreign-node': 'COORDINATOR_FORBIDDEN',
  /** The API server cannot be asked. */
  'not-reviewed': 'COORDINATOR_BUSY',
  /** It has failed too often a moment ago. */
  'held-off': 'COORDINATOR_BUSY',
  'too-many': 'COORDINATOR_BUSY',
  'no-hello': 'COORDINATOR_TIMEOUT',
  version: 'COORDINATOR_VERSION_UNSUPPORTED',
  /** Another agent of this node, which started later, is there. */
  'earlier-start': 'COORDINATOR_TAKEN_OVER',
  /** The node has opened another session. */
  'taken-over': 'COORDINATOR_TAKEN_OVER',
  malformed: 'COORDINATOR_MESSAGE_INVALID',
  /** Of a later version of the wire: passed over, and the session goes on. */
  'not-understood': 'COORDINATOR_MESSAGE_INVALID',
  'too-large': 'COORDINATOR_MESSAGE_TOO_LARGE',
  flood: 'COORDINATOR_FLOODED',
  'slow-reader': 'COORDINATOR_TIMEOUT',
  /**
   * An end without a word: the agent is gone, or the transport has refused a message before anybody
   * read it (TRANSPORT_BYTES_MAX).
   */
  cut: 'COORDINATOR_UNAVAILABLE',
  /** Time to prove again who it is. */
  aged: 'COORDINATOR_UNAVAILABLE',
  /** Another controller leads. */
  standby: 'COORDINATOR_STANDBY',
  /** The controller is being stopped. */
  stopping: 'COORDINATOR_UNAVAILABLE',
  /** A fault of ours. */
  internal: 'COORDINATOR_FAILED',
}) satisfies Readonly<Record<string, ErrorCode>>;

export type Refusal = keyof typeof REFUSALS;

/** Those that an agent which is what it should be never causes. */
const MISBEHAVIOURS: ReadonlySet<Refusal> = new Set(['malformed', 'too-large', 'flood']);

const BY_CODE: Partial<Record<ErrorCode, Refusal>> = {
  COORDINATOR_MESSAGE_INVALID: 'malformed',
  COORDINATOR_MESSAGE_TOO_LARGE: 'too-large',
  COORDINATOR_TIMEOUT: 'slow-reader',
};

export function refuse(reason: Refusal, message: string, details: object = {}): EngineError {
  return new EngineError(REFUSALS[reason], message, { details: { ...details, reason } });
}

export function refusalOf(error: EngineError): Refusal {
  const { reason } = error.details;
  const isNamed = typeof reason === 'string' && Object.hasOwn(REFUSALS, reason);
  // It is a key of the table.
  return isNamed ? (reason as Refusal) : (BY_CODE[error.code] ?? 'internal');
}

export function isMisbehaviour(reason: Refusal): boolean {
  return MISBEHAVIOURS.has(reason);
}

/** What was thrown, as something that has a reason. */
export function asRefusal(error: unknown): EngineError {
  return isEngineError(error) ? error : refuse('internal', messageOf(error));
}

/** How often each of them happened. */
export class RefusalCounts {
  readonly #counts = new Map<Refusal, number>();

  add(reason: Refusal): void {
    this.#counts.set(reason, this.of(reason) + 1);
  }

  of(reason: Refusal): number {
    return this.#counts.get(reason) ?? 0;
  }

  /** All that happened. */
  entries(): [Refusal, number][] {
    return [...this.#counts];
  }
}
