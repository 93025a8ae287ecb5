// Each right that the chart gives to the agent is taken away once, on a real API server: an agent
// that begins names it in its log and in `/readyz`, and what is no business of its start fails and
// names it. The rights are read from the chart, so a new one is tried too. That each is needed by
// some request test/agent/rights-used.slow.test.ts says, and test/csi of those for snapshots.

import t, { type Test } from 'tap';
import { mapBounded } from '#engine/base/map-bounded.ts';
import type { ControlPlane } from '#test/cluster/control-plane.ts';
import { AgentRightsScene } from './agent-rights-scene.ts';
import { chartServerIsMissing, startChartServer } from './api-server.ts';
import { AGENT_CONFIGURATIONS, type Configuration, rolesIn } from './rights-configurations.ts';
import { type Right, rightText, untriedRights } from './rights-of-chart.ts';

/** Each agent asks for all of its rights when it begins. */
const SCENES_AT_ONCE = 4;

/** What the agent asks for when there is something to do, and not at its start. */
const LATER: Readonly<Record<string, (scene: AgentRightsScene) => Promise<string>>> = {
  'get overviews.stevedore.io in': scene => scene.askForOverview(),
  'create events': scene => scene.tellPod(),
};

function laterOf(right: Right): ((scene: AgentRightsScene) => Promise<string>) | undefined {
  return LATER[rightText(right, '').trim()];
}

t.test(
  'the agent names each right that it lacks, and lacks none with those of the chart',
  { skip: chartServerIsMissing(), timeout: 300_000 },
  async t => {
    await using plane = await startChartServer();
    await plane.client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker-1' } });
    const tried = new Set<string>();
    let count = 0;
    for (const [turn, configuration] of AGENT_CONFIGURATIONS.entries()) {
      const untried = untriedRights(rolesIn(configuration), tried);
      count += untried.length;
      const rows = [undefined, ...untried].entries();
      await mapBounded(rows, { parallelism: SCENES_AT_ONCE }, async ([row, right]) => {
        const scene = { plane, configuration, index: turn * 100 + row, right };
        await play(t, scene).catch((error: unknown) => t.fail(String(error)));
      });
    }
    t.ok(count > 50, `${count} rights were taken away`);
  },
);

interface Row {
  readonly plane: ControlPlane;
  readonly configuration: Configuration;
  readonly index: number;
  /** Taken away; undefined: none is. */
  readonly right: Right | undefined;
}

async function play(t: Test, { plane, configuration, index, right }: Row): Promise<void> {
  const { name, values } = configuration;
  await using scene = await AgentRightsScene.open(plane, { index, values, without: right });
  if (right === undefined) {
    const { lacking, readiness } = await scene.begin();
    t.equal(lacking, undefined, `${name}: nothing is lacking`);
    t.match(readiness, /^\[\+\] permissions$/m, name);
    t.match(readiness, /^\[\+\] optional-permissions$/m, name);
    const isAsked = rolesIn(configuration).some(({ rules = [] }) =>
      rules.some(({ resources }) => resources.includes('overviews')),
    );
    if (!isAsked) return;
    for (const later of Object.values(LATER)) t.equal(await later(scene), 'done', name);
    return;
  }
  const text = rightText(right, scene.namespace);
  const later = laterOf(right);
  if (later !== undefined) {
    const words = right.resource === 'overviews' ? 'get overviews.stevedore.io' : 'cannot create';
    t.match(await later(scene), words, `${name}: ${text} is missed`);
    return;
  }
  const { lacking, readiness } = await scene.begin();
  t.match(lacking, `may not ${text}; add it to its roles`, `${name}: ${text}`);
  t.match(readiness, `the service account may not ${text}; add it to its roles`);
}
