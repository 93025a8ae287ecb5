// What each test of the suite gets.

import type { Test } from 'tap';
import type { Cluster } from '#test/cluster/cluster.ts';
import type { SeededRandom } from '#test/support/random.ts';
import type { Csi } from './csi.ts';

export interface World {
  readonly cluster: Cluster;
  readonly csi: Csi;
  readonly random: SeededRandom;
}

export interface Scenario {
  /** A sentence that is true. */
  readonly title: string;
  /** Why it cannot be played here. */
  readonly skip?: string | false;
  readonly play: (t: Test, world: World) => Promise<void>;
}
