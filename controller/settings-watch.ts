// Settings that are read again while the controller runs. What stands in the file is compared every
// few seconds: a ConfigMap is mounted as symlinks that are swapped, which watches of a file miss.

import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#agent/log.ts';
import type { ControllerConfig } from './config-table.ts';

/** Of what can change; all else needs a restart. */
const CHANGEABLE: ReadonlySet<string> = new Set<keyof ControllerConfig>([
  'clusterSlots',
  'nodeSlots',
  'storageClassSlots',
  'locationSlots',
  'uploadRate',
  'downloadRate',
  'rateWindows',
]);
const LOOK_MS = 5_000;

export interface SettingsWatchParts {
  /** @throws USAGE */
  readonly read: () => ControllerConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onChange: (config: ControllerConfig) => void;
}

export class SettingsWatch {
  readonly #parts: SettingsWatchParts;
  #config: ControllerConfig;
  /** What was said last of a file that cannot be used. */
  #fault = '';

  constructor(config: ControllerConfig, parts: SettingsWatchParts) {
    this.#config = config;
    this.#parts = parts;
  }

  /** What holds, as far as it can change. */
  get config(): ControllerConfig {
    return this.#config;
  }

  /** Whether what stands there now is what holds. */
  get isValid(): boolean {
    return this.#fault === '';
  }

  /** Until the signal fires. */
  async run(): Promise<void> {
    const { clock, signal } = this.#parts;
    for (;;) {
      try {
        await clock.sleep(LOOK_MS, signal);
      } catch {
        return;
      }
      this.look();
    }
  }

  look(): void {
    const { read, log, onChange } = this.#parts;
    let config: ControllerConfig;
    try {
      config = read();
    } catch (error) {
      const fault = String(error);
      if (fault !== this.#fault) log.error({ error }, 'settings cannot be used: the old ones hold');
      this.#fault = fault;
      return;
    }
    this.#fault = '';
    const names = changedNames(this.#config, config);
    if (names.length === 0) return;
    this.#config = config;
    const settings = names.filter(name => CHANGEABLE.has(name));
    const restart = names.filter(name => !CHANGEABLE.has(name));
    if (restart.length > 0) {
      log.warn({ settings: restart }, 'settings have changed that hold after a restart alone');
    }
    if (settings.length === 0) return;
    onChange(config);
    log.info({ settings }, 'settings have changed');
  }
}

function changedNames(before: ControllerConfig, after: ControllerConfig): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const textOf = (config: ControllerConfig, name: string) =>
    JSON.stringify(config[name as keyof ControllerConfig]);
  return [...names].filter(name => textOf(before, name) !== textOf(after, name));
}
