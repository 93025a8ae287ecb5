// When a cron expression is due in a time zone. The only file that knows the package for it.

import { Cron } from 'croner';

import { EngineError, messageOf } from '#engine/base/errors.ts';

export interface CronExpression {
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  readonly expression: string;
  /** IANA name. */
  readonly timeZone: string;
}

export class CronTimes {
  readonly #cron: Cron;

  /** @throws USAGE for an expression or time zone that is none */
  constructor({ expression, timeZone }: CronExpression) {
    try {
      this.#cron = new Cron(expression, { timezone: timeZone, paused: true, mode: '5-part' });
      // A time zone is looked at only when it is used.
      this.#cron.nextRun(new Date(0));
    } catch (error) {
      const what = `"${expression}" in time zone ${timeZone}`;
      throw new EngineError('USAGE', `${what} is no time: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Milliseconds since 1970 of the first time after `nowMs`; undefined when there is none. */
  after(nowMs: number): number | undefined {
    return this.#cron.nextRun(new Date(nowMs))?.getTime();
  }

  /** Of the last time at or before `nowMs`. */
  atOrBefore(nowMs: number): number | undefined {
    const second = Math.floor(nowMs / 1000) * 1000 + 1000;
    return this.#cron.previousRuns(1, new Date(second))[0]?.getTime();
  }
}
