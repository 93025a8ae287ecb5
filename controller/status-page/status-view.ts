// What the page shows: how things stand at one moment, as plain values.

import type { FailedMove } from '#proto/agent-saying.ts';
import type { ClusterOverview } from '#proto/overview-messages.ts';

export interface StatusView {
  readonly overview: ClusterOverview;
  readonly rates: RateView;
  /** The newest first. */
  readonly failures: readonly ShownFailure[];
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

export interface Rates {
  /** Undefined for no limit. */
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
}

export interface RateView {
  readonly outside: Rates;
  readonly windows: readonly WindowView[];
}

export interface WindowView extends Rates {
  readonly name: string;
  /** Cron expressions. */
  readonly from: string;
  readonly until: string;
  readonly timeZone: string;
  readonly isOpen: boolean;
  /** Its rates are those that hold. */
  readonly holds: boolean;
  readonly opensMs: number | undefined;
  readonly closesMs: number | undefined;
}

export interface ShownFailure extends Omit<FailedMove, 'endedAgoMs'> {
  readonly node: string;
  /** Milliseconds since 1970, by the controller's clock. */
  readonly endedAtMs: number;
}

/** Another controller leads. */
export interface StandbyView {
  /** Empty where nobody leads. */
  readonly leader: string;
  readonly namespace: string;
  readonly port: number;
}
