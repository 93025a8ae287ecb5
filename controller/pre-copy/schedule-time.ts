// When a Velero Schedule is due next. Its `spec.schedule` is what robfig/cron v3 understands with
// ParseStandard (velero pkg/controller/schedule_controller.go parseCronSchedule): five fields, a
// name such as `@daily`, or `@every 6h`, each with a time zone before it or in UTC.

import { parseDuration } from '#agent/config-values.ts';
import { CronTimes } from '#controller/bandwidth/cron.ts';
import { EngineError } from '#engine/base/errors.ts';

const ZONE = /^(?:CRON_TZ|TZ)=(\S+)\s+(.*)$/;
const EVERY = '@every ';
/** The API server takes any. */
const CHARS_MAX = 256;
/** robfig/cron v3 parser.go parseDescriptor. */
const NAMES: Readonly<Record<string, string>> = Object.freeze({
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
});

export class ScheduleTime {
  readonly #cron: CronTimes | undefined;
  readonly #everyMs: number;

  /** @throws USAGE for what is no time */
  constructor(text: string) {
    if (text.length > CHARS_MAX) {
      const what = `the time of a Schedule has ${text.length} characters`;
      throw new EngineError('USAGE', `${what}; give ${CHARS_MAX} or less`);
    }
    const [, timeZone = 'UTC', behind] = ZONE.exec(text.trim()) ?? [];
    const rest = behind ?? text.trim();
    if (rest.startsWith(EVERY)) {
      // ConstantDelaySchedule: whole seconds, one at least.
      const everyMs = parseDuration(rest.slice(EVERY.length).trim(), 'the time of a Schedule');
      this.#everyMs = Math.max(1000, Math.floor(everyMs / 1000) * 1000);
      return;
    }
    this.#everyMs = 0;
    const expression = NAMES[rest] ?? rest;
    this.#cron = new CronTimes({ expression, timeZone: timeZone === 'Local' ? 'UTC' : timeZone });
  }

  /**
   * Milliseconds since 1970; undefined where there is none, or where it is due already. `lastMs`:
   * when the last backup was made, or the Schedule itself.
   */
  after(nowMs: number, lastMs: number): number | undefined {
    if (this.#cron !== undefined) return this.#cron.after(nowMs);
    const dueMs = Math.floor(lastMs / 1000) * 1000 + this.#everyMs;
    return dueMs > nowMs ? dueMs : undefined;
  }
}
