// Asks the controller that leads. Behind a Service there are two, and each connection comes to one
// of them, so one that stands by is no reason to give up at once.

import { readAccess } from '#agent/coordinator/link-access.ts';
import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { askOverview } from '#proto/overview-client.ts';
import type { ClusterOverview } from '#proto/overview-messages.ts';
import type { CommandSettings } from './command-settings.ts';

/** By then one of two has been asked, but for one time in two hundred. */
const ATTEMPTS_MAX = 8;
const PAUSE_MS = 200;

export interface AskParts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** @throws COORDINATOR_…; see askOverview and readAccess */
export async function askController(
  settings: CommandSettings,
  { clock, signal }: AskParts,
): Promise<ClusterOverview> {
  const { controller, controllerPlainText, controllerServerName: serverName } = settings;
  const access = await readAccess({
    caPath: controllerPlainText ? undefined : settings.controllerCaFile,
    tokenPath: settings.controllerTokenFile,
  });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askOverview({ ...controller, ...access, serverName, clock, signal });
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !isEngineError(error, 'COORDINATOR_STANDBY')) throw error;
    }
    await clock.sleep(PAUSE_MS, signal);
  }
}
