// npm run test:velero [-- WORD...]: our agent beneath a stock Velero server, on a real cluster;
// with words, only the scenarios whose titles have them. AGENT=stock runs Velero's own agent
// instead, through what it can do: that shows that the tests are right.

import t from 'tap';
import { messageOf } from '#engine/base/errors.ts';
import { clusterIsMissing } from '#test/cluster/cluster.ts';
import { chosenScenarios, clusterForTest } from '#test/cluster/cluster-for-test.ts';
import { isMissing } from '#test/cluster/cluster-programs.ts';
import { CHARTS } from './chart.ts';
import { COPIED_AHEAD } from './copied-ahead.ts';
import { DOCUMENTATION } from './documentation.ts';
import { FAULTS } from './faults.ts';
import { FIGURES } from './figures.ts';
import { Installation, VELERO_PROGRAMS, type AgentKind } from './installation.ts';
import { REMOVALS } from './removal.ts';
import { INTERRUPTED_RESTORES } from './interrupted-restores.ts';
import { movesInWords } from './moves-in-words.ts';
import { PLUGIN } from './plugin.ts';
import { RESUMPTIONS } from './resumption.ts';
import { ROUND_TRIPS } from './round-trips.ts';
import { UPGRADES } from './upgrades.ts';
import { checkNothingIsLeft, clearAway } from './scenario.ts';

const SCENARIOS = [
  ...ROUND_TRIPS,
  ...CHARTS,
  ...COPIED_AHEAD,
  ...FAULTS,
  ...RESUMPTIONS,
  ...INTERRUPTED_RESTORES,
  ...UPGRADES,
  ...PLUGIN,
  ...DOCUMENTATION,
  ...REMOVALS,
  ...FIGURES,
];
const TEST_MS_MAX = 2_400_000;

const agent: AgentKind = process.env.AGENT === 'stock' ? 'stock' : 'ours';
const chosen = chosenScenarios(SCENARIOS);
t.setTimeout(TEST_MS_MAX);
const skip = clusterIsMissing() || isMissing(...VELERO_PROGRAMS);

t.test(`Velero with ${agent === 'ours' ? 'our' : 'its own'} agent`, { skip }, async t => {
  t.setTimeout(TEST_MS_MAX);
  const made = await clusterForTest(t);
  if (made === undefined) return;
  const { cluster, random } = made;
  const installation = await Installation.make(cluster, agent);
  const world = { installation, agent, random };
  for (const { title, isTrueOfStock, skip = false, play } of chosen) {
    if (agent === 'stock' && !isTrueOfStock) continue;
    await t.test(title, { skip }, async t => {
      t.setTimeout(TEST_MS_MAX);
      let isAllWell = false;
      try {
        await play(t, world);
        await checkNothingIsLeft(t, world);
        isAllWell = t.passing();
      } finally {
        cluster.s3.resume();
        if (!isAllWell) {
          const told = await movesInWords(installation).catch((error: unknown) => [
            messageOf(error),
          ]);
          for (const line of told) t.comment(line);
          await clearAway(world).catch(sayWhyNot);
        }
      }
    });
  }
});

/** The failure itself says more than this; the scenarios to come may fail of it. */
function sayWhyNot(error: unknown): void {
  t.comment(`a scenario that has failed is not cleared away: ${messageOf(error)}`);
}
