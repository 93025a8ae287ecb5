// The controller: hands the process to run-controller.ts. agent/stevedore.js starts it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { runService } from '#agent/run-service.ts';
import { systemClock } from '#engine/base/clock.ts';
import { packageVersion } from '#engine/base/package-version.ts';
import type { ControllerConfig } from './config-table.ts';
import { readConfig } from './config.ts';
import { giveBackNowAndThen, keepControllerSmall } from './process-size.ts';
import { runController } from './run-controller.ts';

function readAgain(): ControllerConfig {
  const outcome = readConfig({
    words: process.argv.slice(2),
    environment: process.env,
    readText: path => readFileSync(path, 'utf8'),
    columns: 0,
  });
  assert.ok(outcome.kind === 'config', 'what was a configuration at the start still is one');
  return outcome.config;
}

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
        readAgain,
      });
      return { hasStuckThreads: false };
    },
  });
}
