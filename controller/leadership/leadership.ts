// Which of several controllers leads: the one that holds the Lease. While it does it may reign; its
// term is over before anybody else's can begin, because it stops earlier than others take over, by
// clocks that run alike and need not show the same time. What it might still have said by then is
// fenced by its epoch (docs/adr/0014-slots.md).

import { abortable } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { deadline } from '#engine/base/deadline.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { ObjectName } from '#kube/kube-object.ts';
import {
  claimedLease,
  epochOf,
  freeAtMs,
  leaderOf,
  type Lease,
  LEASES,
  type LeaseTimes,
  leaseTimes,
  releasedLease,
  renewedLease,
  seeLease,
  type SeenLease,
} from './lease.ts';

export interface LeadershipParts {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  readonly clock: Clock;
  readonly name: ObjectName;
  /** Of this process and of no other. */
  readonly identity: string;
  readonly leaseMs: number;
  readonly onNews: (news: LeaseNews) => void;
}

export type LeaseNews =
  | { readonly kind: 'leads'; readonly epoch: number }
  /** Somebody else does, or nobody: then it is empty. Said at each change. */
  | { readonly kind: 'follows'; readonly leader: string }
  /** A sign of life of somebody else who leads was seen. */
  | { readonly kind: 'renewed' }
  | { readonly kind: 'lost'; readonly epoch: number; readonly why: string }
  | { readonly kind: 'released'; readonly epoch: number }
  /** The API server could not be asked; it is asked again. */
  | { readonly kind: 'troubled'; readonly error: unknown };

export interface Term {
  readonly epoch: number;
  /** Fires when it is over, or when the process is told to end. */
  readonly signal: AbortSignal;
}

/** The Lease as it was written last, and when that was sent. */
interface Held {
  readonly lease: Lease;
  readonly sentAtMs: number;
}

type Kept = { readonly lease: Lease; readonly lostBecause: string | undefined };

export class Leadership {
  readonly #parts: LeadershipParts;
  readonly #times: LeaseTimes;
  #latestEpoch = 0;

  constructor(parts: LeadershipParts) {
    this.#parts = parts;
    this.#times = leaseTimes(parts.leaseMs);
  }

  /** Whether there has been a leader of that epoch. @throws KUBE_… where that cannot be asked */
  async hasBeen(epoch: number): Promise<boolean> {
    const lease = await this.#ask(signal => this.#read(signal));
    return epochOf(lease) >= epoch;
  }

  /**
   * Calls `reign` for each term, one after the other, and waits for it when its term is over. Until
   * the signal fires; then the Lease is given back. @throws what `reign` throws
   */
  async run(signal: AbortSignal, reign: (term: Term) => Promise<void>): Promise<void> {
    for (;;) {
      const held = await this.#claim(signal);
      if (held === undefined) return;
      await this.#reign(held, signal, reign);
    }
  }

  /** Undefined when the signal has fired. */
  async #claim(signal: AbortSignal): Promise<Held | undefined> {
    const { clock, identity, onNews } = this.#parts;
    const { retryMs, leaseMs } = this.#times;
    let seen: SeenLease | undefined;
    let leader: string | undefined;
    while (!signal.aborted) {
      let pauseMs = retryMs;
      try {
        const lease = await this.#ask(each => this.#read(each), signal);
        const before = seen;
        seen = seeLease(before, lease, clock.monotonic());
        const leaderNow = leaderOf(seen, leaseMs, clock.monotonic());
        if (leaderNow !== leader) onNews({ kind: 'follows', leader: leaderNow });
        leader = leaderNow;
        // What was there at the first look may be old.
        const isChanged = before !== undefined && seen.sinceMs !== before.sinceMs;
        if (isChanged && leaderNow !== '') onNews({ kind: 'renewed' });
        const waitMs = freeAtMs(seen, identity, leaseMs) - clock.monotonic();
        const held = waitMs > 0 ? undefined : await this.#take(lease, signal);
        if (held !== undefined) return held;
        if (waitMs > 0) pauseMs = Math.min(retryMs, waitMs);
      } catch (error) {
        if (!signal.aborted) onNews({ kind: 'troubled', error });
      }
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
    return undefined;
  }

  /** Undefined where somebody else was faster. */
  async #take(lease: Lease | undefined, signal: AbortSignal): Promise<Held | undefined> {
    const { client, clock, name, identity, leaseMs } = this.#parts;
    const sentAtMs = clock.monotonic();
    const latestEpoch = this.#latestEpoch;
    const claim = { name, identity, leaseMs, latestEpoch, nowMs: clock.now() };
    const claimed = claimedLease(lease, claim);
    try {
      const written = await this.#ask(
        each =>
          lease === undefined
            ? client.create<Lease>(LEASES, claimed, { signal: each })
            : client.replace<Lease>(LEASES, claimed, { signal: each }),
        signal,
      );
      return { lease: written, sentAtMs };
    } catch (error) {
      if (isEngineError(error, 'KUBE_CONFLICT', 'KUBE_EXISTS')) return undefined;
      throw error;
    }
  }

  async #reign(
    held: Held,
    signal: AbortSignal,
    reign: (term: Term) => Promise<void>,
  ): Promise<void> {
    const { onNews } = this.#parts;
    const epoch = this.#note(held.lease);
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    onNews({ kind: 'leads', epoch });
    const reigning = reign({ epoch, signal: either });
    const keeping = this.#keep(held, either);
    try {
      await Promise.race([reigning, keeping]);
    } finally {
      over.abort(new EngineError('ABORTED', 'the term is over'));
      const { lease, lostBecause: why } = await keeping;
      if (why !== undefined) onNews({ kind: 'lost', epoch, why });
      // Nobody may take over while it still reigns.
      await reigning.finally(() => (why === undefined ? this.#release(lease) : undefined));
    }
  }

  /** Renews until the signal fires, or until it is lost. */
  async #keep(held: Held, signal: AbortSignal): Promise<Kept> {
    const { clock, onNews } = this.#parts;
    const { retryMs, renewWithinMs, attemptMs } = this.#times;
    let { lease, sentAtMs } = held;
    for (;;) {
      const leftMs = () => sentAtMs + renewWithinMs - clock.monotonic();
      await clock.sleep(Math.max(0, Math.min(retryMs, leftMs())), signal).catch(() => undefined);
      if (signal.aborted) return { lease, lostBecause: undefined };
      if (leftMs() <= 0) return { lease, lostBecause: 'it could not be renewed in time' };
      try {
        const beganMs = clock.monotonic();
        const withinMs = Math.min(attemptMs, leftMs());
        const renewed = await this.#ask(
          each => this.#rewrite(lease, renewedLease, each),
          signal,
          withinMs,
        );
        if (renewed === undefined) return { lease, lostBecause: 'somebody else has taken it' };
        lease = renewed;
        sentAtMs = beganMs;
      } catch (error) {
        if (!signal.aborted) onNews({ kind: 'troubled', error });
      }
    }
  }

  async #release(lease: Lease): Promise<void> {
    const { onNews } = this.#parts;
    try {
      await this.#ask(signal => this.#rewrite(lease, releasedLease, signal));
      onNews({ kind: 'released', epoch: epochOf(lease) });
    } catch (error) {
      // Then it ends by itself.
      onNews({ kind: 'troubled', error });
    }
  }

  /** Undefined where it is not ours any more. */
  async #rewrite(
    lease: Lease,
    change: (lease: Lease, nowMs: number) => Lease,
    signal: AbortSignal,
  ): Promise<Lease | undefined> {
    const { client, clock, identity } = this.#parts;
    const write = (current: Lease) =>
      client.replace<Lease>(LEASES, change(current, clock.now()), { signal });
    try {
      return await write(lease);
    } catch (error) {
      if (isEngineError(error, 'KUBE_NOT_FOUND')) return undefined;
      if (!isEngineError(error, 'KUBE_CONFLICT')) throw error;
    }
    // Somebody has written to it, or an attempt of ours of which we did not hear.
    const current = await this.#read(signal);
    const isOurs =
      current?.spec?.holderIdentity === identity && epochOf(current) === epochOf(lease);
    return isOurs ? await write(current) : undefined;
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { client, name } = this.#parts;
    try {
      const lease = await client.get<Lease>(LEASES, name, { signal });
      this.#note(lease);
      return lease;
    } catch (error) {
      if (isEngineError(error, 'KUBE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  /** Gives its epoch. */
  #note(lease: Lease): number {
    const epoch = epochOf(lease);
    this.#latestEpoch = Math.max(this.#latestEpoch, epoch);
    return epoch;
  }

  /** An answer that does not come in time is none. */
  async #ask<Answer>(
    work: (signal: AbortSignal) => Promise<Answer>,
    signal?: AbortSignal,
    withinMs = this.#times.attemptMs,
  ): Promise<Answer> {
    const late = new EngineError('KUBE_TIMEOUT', 'the API server does not answer about the Lease');
    using limit = deadline(this.#parts.clock, withinMs, late);
    const either = signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
    return await abortable(work(either), either);
  }
}
