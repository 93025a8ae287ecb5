// The node agent: hands the process to run-agent.ts. agent/stevedore.js starts it.

import { systemClock } from '#engine/base/clock.ts';
import { expectTraffic, giveMemoryBack, keepProcessSmall } from '#engine/base/process-memory.ts';
import { readConfig } from './config.ts';
import { runAgent } from './run-agent.ts';
import { runService } from './run-service.ts';

export async function main(): Promise<void> {
  keepProcessSmall();
  expectTraffic();
  await runService({
    name: 'stevedore node-agent',
    readConfig,
    logOf: ({ logLevel: level, logFormat: format, nodeName: node }) => ({
      level,
      format,
      keys: { node },
    }),
    run: (config, surroundings) => {
      const onRest = (): void => void giveMemoryBack();
      return runAgent(config, { ...surroundings, clock: systemClock, onRest });
    },
  });
}
