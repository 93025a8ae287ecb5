// Keeps a session with the controller: connects, says hello, and again when it ends, after a pause
// that doubles and is half random, so that a thousand agents do not come back together. What is to
// be said is given as states, which each new session gets anew.

import { abortable } from '#engine/base/abort.ts';
import { backOffMs, type BackOffPolicy } from '#engine/base/back-off.ts';
import type { Clock } from '#engine/base/clock.ts';
import { deadline } from '#engine/base/deadline.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError, isEngineError, messageOf } from '#engine/base/errors.ts';
import type { AgentHello } from '#proto/agent-saying.ts';
import type { AgentMessage, ReadControllerMessage } from '#proto/session-codec.ts';
import type { ClientTrust } from '#proto/dial.ts';
import { SessionClient } from '#proto/session-client.ts';
import { WELCOME_MS_MAX } from '#proto/wire-limits.ts';

export interface ControllerAddress {
  readonly host: string;
  readonly port: number;
}

export interface LinkParts {
  readonly address: ControllerAddress;
  /** Asked before each attempt: files may have been replaced. */
  readonly access: () => Promise<{ readonly trust: ClientTrust; readonly token: string }>;
  readonly hello: AgentHello;
  readonly clock: Clock;
  readonly onMessage: (message: ReadControllerMessage) => void;
  /** The controller has let this agent in. */
  readonly onConnected: () => void;
  /** After each attempt that failed, and each session that ended. */
  readonly onLost: (lost: LostSession) => void;
  /** 0 <= random() < 1 */
  readonly random?: () => number;
  readonly keepAliveMs?: number;
}

export interface LostSession {
  readonly error: EngineError;
  /** The next attempt begins then. */
  readonly retryMs: number;
}

const DELAY_MS_MAX = 30_000;
const BACK_OFF: BackOffPolicy = Object.freeze({ firstDelayMs: 500, delayMsMax: DELAY_MS_MAX });
/**
 * Another try comes to the controller that leads as likely as not, and whoever is turned away by
 * one that stands by has waited there (controller/door.ts).
 */
const ELSEWHERE: BackOffPolicy = Object.freeze({ ...BACK_OFF, delayMsMax: 1_000 });
const UNHURRIED: BackOffPolicy = Object.freeze({ ...BACK_OFF, firstDelayMs: DELAY_MS_MAX });
/** A session that lasts so long was a good one: the next pause is a short one. */
const STEADY_MS = 10_000;

/** What a session has ended with, and how long it had been one. */
interface Attempt {
  readonly error: EngineError;
  readonly lastedMs: number;
}

export class CoordinatorLink {
  readonly #parts: LinkParts;
  readonly #sayings = new Map<string, () => AgentMessage | undefined>();
  #session: SessionClient | undefined;
  #isConnected = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /**
   * What `make` gives is said now, where there is a session, and at the beginning of each one to
   * come. A kind has one maker.
   */
  say(kind: string, make: () => AgentMessage | undefined): void {
    this.#sayings.set(kind, make);
    if (this.#isConnected) this.#session?.put(kind, make);
  }

  /** Until the signal fires; then the controller is told that it is the end. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const { error, lastedMs } = await this.#attempt(signal);
      // The abort may have come meanwhile.
      if (isAborted(signal)) return;
      failures = lastedMs >= STEADY_MS ? 1 : failures + 1;
      const retryMs = this.#pauseMs(error, failures);
      this.#parts.onLost({ error, retryMs });
      await this.#parts.clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }

  async #attempt(signal: AbortSignal): Promise<Attempt> {
    const { clock, access } = this.#parts;
    let beganMs = clock.monotonic();
    using limit = deadline(clock, WELCOME_MS_MAX);
    const { promise: ended, resolve } = Promise.withResolvers<EngineError>();
    const giveUp = () => {
      if (this.#isConnected) return;
      this.#session?.close();
      resolve(new EngineError('COORDINATOR_TIMEOUT', 'the controller does not answer'));
    };
    const leave = () => {
      // Whoever has not been let in has nothing to say farewell to.
      this.#session?.close(this.#isConnected);
      resolve(new EngineError('ABORTED', 'the agent ends'));
    };
    limit.signal.addEventListener('abort', giveUp, { once: true });
    signal.addEventListener('abort', leave, { once: true });
    try {
      const either = AbortSignal.any([signal, limit.signal]);
      const { trust, token } = await abortable(access(), either);
      if (signal.aborted) leave();
      else this.#open({ trust, token }, resolve, () => (beganMs = clock.monotonic()));
      const error = await ended;
      return { error, lastedMs: this.#isConnected ? clock.monotonic() - beganMs : 0 };
    } catch (error) {
      return { error: asError(error), lastedMs: 0 };
    } finally {
      signal.removeEventListener('abort', leave);
      this.#isConnected = false;
      this.#session = undefined;
    }
  }

  #open(
    access: { readonly trust: ClientTrust; readonly token: string },
    onEnd: (error: EngineError) => void,
    onWelcome: () => void,
  ): void {
    const { address, clock, hello, keepAliveMs, onConnected, onMessage } = this.#parts;
    const session = new SessionClient({
      ...address,
      ...access,
      clock,
      keepAliveMs,
      onMessage: message => {
        if (this.#isConnected) return onMessage(message);
        if (!message.welcome) throw unwelcome();
        this.#isConnected = true;
        onWelcome();
        onConnected();
        for (const [kind, make] of this.#sayings) session.put(kind, make);
      },
      onEnd: error => {
        const inPeace = 'the controller has ended the session';
        onEnd(error ?? new EngineError('COORDINATOR_UNAVAILABLE', inPeace));
      },
    });
    this.#session = session;
    session.put('hello', () => ({ hello: { ...hello, capabilities: [...hello.capabilities] } }));
  }

  #pauseMs(error: EngineError, failures: number): number {
    const random = (this.#parts.random ?? Math.random)();
    const { retryAfterMs } = error.details;
    const asked = typeof retryAfterMs === 'number' ? retryAfterMs : 0;
    return asked + backOffMs(POLICIES[error.code] ?? BACK_OFF, failures, random);
  }
}

const POLICIES: Partial<Record<ErrorCode, BackOffPolicy>> = {
  // Whoever was put out by a later start of the agent on this node has nothing to hurry for.
  COORDINATOR_TAKEN_OVER: UNHURRIED,
  COORDINATOR_STANDBY: ELSEWHERE,
};

function isAborted({ aborted }: AbortSignal): boolean {
  return aborted;
}

function unwelcome(): EngineError {
  return new EngineError('COORDINATOR_MESSAGE_INVALID', 'the controller says no welcome');
}

function asError(error: unknown): EngineError {
  if (isEngineError(error)) return error;
  const what = `the controller cannot be reached: ${messageOf(error)}`;
  return new EngineError('COORDINATOR_UNAVAILABLE', what, { cause: error });
}
