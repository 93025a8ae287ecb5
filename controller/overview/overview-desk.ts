// Where people ask how things stand. Who may not is told so and counted, by an address that fails
// too often nobody is asked any more, and a controller that stands by says who leads.

import type { Clock } from '#engine/base/clock.ts';
import type { OverviewCall } from '#proto/overview-call.ts';
import type { ClusterOverview } from '#proto/overview-messages.ts';
import { encodeOverviewWithin } from '#proto/overview-wire.ts';
import { EngineError } from '#engine/base/errors.ts';
import { ADDRESS_POLICY, HoldOff } from '#controller/sessions/hold-off.ts';
import { asRefusal, type RefusalCounts, refusalOf, refuse } from '#controller/sessions/refusals.ts';
import { KeptBriefly } from './kept-briefly.ts';

export interface OverviewDeskParts {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly counts: Pick<RefusalCounts, 'add'>;
  /** Rejects where the token does not allow it. */
  readonly mayRead: (token: string) => Promise<void>;
  /** Undefined while another one leads. */
  readonly describe: () => ClusterOverview | undefined;
  /** Whoever leads; empty while nobody does. */
  readonly leader: () => string;
}

const ADDRESSES_MAX = 1_000;

export class OverviewDesk {
  readonly #parts: OverviewDeskParts;
  readonly #addresses = new HoldOff({ ...ADDRESS_POLICY, keysMax: ADDRESSES_MAX });
  readonly #kept: KeptBriefly<Buffer>;

  constructor(parts: OverviewDeskParts) {
    this.#parts = parts;
    this.#kept = new KeptBriefly(parts.clock);
  }

  /** Of SessionServer. */
  readonly onOverview = (call: Pick<OverviewCall, 'address' | 'token' | 'answer' | 'refuse'>) =>
    void this.#serve(call);

  async #serve(call: Pick<OverviewCall, 'address' | 'token' | 'answer' | 'refuse'>) {
    const { clock, counts } = this.#parts;
    try {
      await this.#admit(call);
      call.answer(this.#overview());
    } catch (thrown) {
      const error = asRefusal(thrown);
      const isFault = error.code === 'COORDINATOR_UNAUTHENTICATED';
      if (isFault) this.#addresses.failed(call.address, clock.monotonic());
      // Who asks the wrong one of two is everyday life.
      counts.add(error.code === 'COORDINATOR_STANDBY' ? 'standby' : refusalOf(error));
      call.refuse(error);
    }
  }

  async #admit({ address, token }: Pick<OverviewCall, 'address' | 'token'>): Promise<void> {
    const { clock, mayRead } = this.#parts;
    if (this.#addresses.heldMs(address, clock.monotonic()) > 0) {
      throw refuse('held-off', 'this address has failed too often; come back in a minute');
    }
    if (token === undefined) throw refuse('no-token', 'there is no token');
    await mayRead(token);
  }

  /** @throws COORDINATOR_STANDBY */
  #overview(): Buffer {
    const { describe, leader } = this.#parts;
    return this.#kept.of(() => {
      const overview = describe();
      if (overview === undefined) throw standby(leader());
      return encodeOverviewWithin(overview);
    });
  }
}

function standby(leader: string): EngineError {
  const who = leader === '' ? 'nobody leads at the moment' : `${leader} leads`;
  return new EngineError('COORDINATOR_STANDBY', `this controller stands by; ${who}`, {
    details: { leader },
  });
}
