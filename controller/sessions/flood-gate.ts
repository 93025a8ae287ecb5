// How much one agent may say: a bucket of messages and one of bytes, both filled at a steady rate.
// An agent that keeps to its own pauses (proto/session-client.ts) never meets it.

export interface FloodLimits {
  readonly messagesPerSecond: number;
  readonly messagesBurst: number;
  readonly bytesPerSecond: number;
  readonly bytesBurst: number;
}

export const FLOOD_LIMITS: FloodLimits = Object.freeze({
  messagesPerSecond: 10,
  messagesBurst: 100,
  bytesPerSecond: 1024 * 1024,
  bytesBurst: 16 * 1024 * 1024,
});

export class FloodGate {
  readonly #limits: FloodLimits;
  #messages: number;
  #bytes: number;
  #atMs: number;

  constructor(limits: FloodLimits, nowMs: number) {
    this.#limits = limits;
    this.#messages = limits.messagesBurst;
    this.#bytes = limits.bytesBurst;
    this.#atMs = nowMs;
  }

  /** False when it is too much; what was too much is counted as if it had been let in. */
  admits(bytes: number, nowMs: number): boolean {
    const { messagesBurst, messagesPerSecond, bytesBurst, bytesPerSecond } = this.#limits;
    const seconds = Math.max(0, nowMs - this.#atMs) / 1000;
    this.#atMs = nowMs;
    this.#messages = Math.min(messagesBurst, this.#messages + seconds * messagesPerSecond) - 1;
    this.#bytes = Math.min(bytesBurst, this.#bytes + seconds * bytesPerSecond) - bytes;
    return this.#messages >= 0 && this.#bytes >= 0;
  }
}
