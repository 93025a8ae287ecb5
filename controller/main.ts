// The controller: hands the process to run-controller.ts. agent/stevedore.js starts it.

import { runService } from '#agent/run-service.ts';
import { systemClock } from '#engine/base/clock.ts';
import { packageVersion } from '#engine/base/package-version.ts';
import { readConfig } from './config.ts';
import { giveBackNowAndThen, keepControllerSmall } from './process-size.ts';
import { runController } from './run-controller.ts';

export async function main(): Promise<void> {
  keepControllerSmall();
  await runService({
    name: 'stevedore controller',
    readConfig,
    logOf: ({ logLevel: level, logFormat: format }) => ({ level, format, keys: {} }),
    run: async (config, surroundings) => {
      void giveBackNowAndThen(systemClock, surroundings.signal);
      await runController(config, {
        ...surroundings,
        clock: systemClock,
        version: packageVersion(),
      });
      return { hasStuckThreads: false };
    },
  });
}
