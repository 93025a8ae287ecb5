// The agent's slots with the controller, over the wire: reports at every change and every ten
// seconds, starts what is granted, and, when the controller has been away for a lease time, what
// waits, up to the limit of this node. Which of the two it is is said. What a slot is and when it
// ends is decided in held-slots.ts.

import { abortable } from '#engine/base/abort.ts';
import { type AgentHeartbeat, heartbeatToWire, sharesFromWire } from '#proto/agent-saying.ts';
import { answerFromWire } from '#proto/answer-wire.ts';
import { encodeAgentMessage, type ReadControllerMessage } from '#proto/session-codec.ts';
import type { AgentMessage } from '#proto/session-codec.ts';
import { type PreCopy, preCopiesFromWire } from '#proto/pre-copy-wire.ts';
import { LEASE_MS, REPORT_MS, type SlotReport, type SlotWait } from '#proto/slot-messages.ts';
import { reportToWire } from '#proto/slot-wire.ts';
import { MESSAGE_BYTES_MAX } from '#proto/wire-limits.ts';
import { CoordinatorLink, type LinkParts, type LostSession } from './coordinator-link.ts';
import { HeldSlots, type Wish } from './held-slots.ts';
import type { ObeyedShares } from './obeyed-shares.ts';

/** What a heartbeat tells. */
export type NodeCondition = AgentHeartbeat;

export interface SlotKeeperParts extends Omit<LinkParts, 'onMessage' | 'onConnected' | 'onLost'> {
  readonly slotsMax: number;
  /** Moves that may begin now; `isAlone` when nobody has granted them. */
  readonly onStart: (ids: readonly string[], isAlone: boolean) => void;
  /** Moves that the controller wants stopped; done() when they are. */
  readonly onStop: (ids: readonly string[]) => void;
  /** With each answer, why the first of those that wait do. */
  readonly onWaits?: (waits: readonly SlotWait[]) => void;
  /** Each change, and each attempt that failed. */
  readonly onStanding: (standing: Standing) => void;
  /** How the node does; said as often as slots are. */
  readonly heartbeat?: () => AgentHeartbeat;
  /** Of bandwidth. */
  readonly shares?: Pick<ObeyedShares, 'obey' | 'inForce'>;
  /** All volumes that are wanted ahead of their backups; none while this node goes alone. */
  readonly onPreCopies?: (volumes: readonly PreCopy[]) => void;
  readonly leaseMs?: number;
  readonly reportMs?: number;
}

/**
 * `with`: the controller answers. `away`: it does not, and slots hold until their lease ends.
 * `alone`: this node goes by its own limit.
 */
export type Standing =
  { readonly kind: 'with' | 'alone' } | { readonly kind: 'away'; readonly lost: LostSession };

export class SlotKeeper {
  readonly #parts: SlotKeeperParts;
  readonly #slots: HeldSlots;
  readonly #link: CoordinatorLink;
  #slotsMax: number;
  #isAlone = false;
  #isDraining = false;
  /** What was said last is that the controller answers. */
  #isWith = false;

  constructor(parts: SlotKeeperParts) {
    const { clock, hello, slotsMax, leaseMs = LEASE_MS, onStanding } = parts;
    const nowMs = clock.monotonic();
    this.#parts = parts;
    this.#slotsMax = slotsMax;
    const { node, session } = hello;
    this.#slots = new HeldSlots({ node, session, slotsMax, leaseMs, nowMs });
    this.#link = new CoordinatorLink({
      ...parts,
      onMessage: message => this.#hear(message),
      onConnected: () => undefined,
      onLost: lost => {
        // Whoever is alone already has nothing new to say.
        if (!this.#isAlone) onStanding({ kind: 'away', lost });
        this.#isWith = false;
      },
    });
    this.#tell();
    this.#beat();
    this.#sayShares();
  }

  get isAlone(): boolean {
    return this.#isAlone;
  }

  /** Ids of moves that run, with whether nobody knows of their slot. */
  get holds(): HeldSlots['holds'] {
    return this.#slots.holds;
  }

  set slotsMax(count: number) {
    this.#slotsMax = count;
    this.#useSlotsMax();
  }

  want(wish: Wish): void {
    this.#slots.want(wish, this.#parts.clock.monotonic());
    this.#startAlone();
    this.#tell();
  }

  /** The move is over or not wanted any more. */
  done(id: string): void {
    this.#slots.done(id);
    this.#startAlone();
    this.#tell();
  }

  /** Until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, reportMs = REPORT_MS } = this.#parts;
    const linked = this.#link.run(signal);
    try {
      for (;;) {
        await abortable(clock.sleep(reportMs, signal), signal);
        this.#startAlone();
        this.#tell();
        this.#beat();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    await linked;
  }

  /** Whoever is alone waits for nobody: neither for the next report nor for who comes later. */
  #startAlone(): void {
    const nowMs = this.#parts.clock.monotonic();
    const started = this.#slots.startAlone(nowMs);
    if (!this.#isAlone && this.#slots.isAlone(nowMs)) {
      this.#isAlone = true;
      // The session may have lasted: a controller that says nothing is none.
      this.#isWith = false;
      this.#parts.onStanding({ kind: 'alone' });
      this.#parts.onPreCopies?.([]);
    }
    if (started.length > 0) this.#parts.onStart(started, true);
  }

  #hear(message: ReadControllerMessage): void {
    if (message.drain) {
      this.#isDraining = message.drain.active;
      this.#useSlotsMax();
    }
    if (message.shares) {
      this.#parts.shares?.obey(sharesFromWire(message.shares));
      this.#sayShares();
    }
    if (message.preCopies) this.#parts.onPreCopies?.(preCopiesFromWire(message.preCopies));
    if (!message.slots) return;
    const answer = answerFromWire(message.slots, this.#parts.hello.node);
    const heard = this.#slots.hear(answer, this.#parts.clock.monotonic());
    if (heard === undefined) return;
    this.#isAlone = false;
    if (!this.#isWith) this.#parts.onStanding({ kind: 'with' });
    this.#isWith = true;
    if (heard.started.length > 0) this.#parts.onStart(heard.started, false);
    if (heard.revoked.length > 0) this.#parts.onStop(heard.revoked);
    this.#parts.onWaits?.(answer.waits ?? []);
    if (heard.mustReport) this.#tell();
  }

  #useSlotsMax(): void {
    this.#slots.slotsMax = this.#isDraining ? 0 : this.#slotsMax;
    this.#tell();
  }

  #tell(): void {
    this.#link.say('slots', () => this.#report());
  }

  #beat(): void {
    const { heartbeat } = this.#parts;
    if (heartbeat) this.#link.say('heartbeat', () => heartbeatToWire(heartbeat()));
  }

  #sayShares(): void {
    const { shares } = this.#parts;
    if (shares) this.#link.say('shares', () => ({ shares: shares.inForce }));
  }

  #report(): AgentMessage {
    return fitting(this.#slots.report(this.#parts.clock.monotonic()));
  }
}

/** A report that is too large asks for fewer: the others ask when these have moved. */
function fitting(report: SlotReport): AgentMessage {
  for (let { requests } = report; ; requests = requests.slice(0, requests.length >> 1)) {
    const message = { slots: reportToWire({ ...report, requests }) };
    if (requests.length === 0) return message;
    if (encodeAgentMessage(message).length <= MESSAGE_BYTES_MAX) return message;
  }
}
