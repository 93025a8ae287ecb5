// The real cluster of a suite, and a seed for what its scenarios make up.

import type { Test } from 'tap';
import { messageOf } from '#engine/base/errors.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { type Cluster, startCluster } from './cluster.ts';

export interface ClusterForTest {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
}

/** Ends with the test. Undefined, with a reason printed, where there can be none. */
export async function clusterForTest(t: Test): Promise<ClusterForTest | undefined> {
  const seed = Number(process.env.STEVEDORE_TEST_SEED ?? newSeed());
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const cluster = await startCluster().catch((error: unknown) => messageOf(error));
  if (typeof cluster === 'string') {
    // A machine on which containers do not run says nothing about us.
    t.pass('a cluster can be had', { skip: `no cluster can be had here: ${cluster}` });
    return undefined;
  }
  t.teardown(() => cluster.s3.stop());
  return { cluster, random: new SeededRandom(seed) };
}

/** Those whose titles have all words of the command line. @throws Error where none has */
export function chosenScenarios<Item extends { readonly title: string }>(
  scenarios: readonly Item[],
): Item[] {
  const words = process.argv.slice(2).filter(word => !word.startsWith('-'));
  const chosen = scenarios.filter(({ title }) => words.every(word => title.includes(word)));
  if (chosen.length === 0) throw new Error(`no scenario has all of these: ${words.join(', ')}`);
  return chosen;
}
