// The cluster of issue 7 in virtual time: 500 nodes, 10,000 volumes, 400 namespaces, all faults.

import t from 'tap';
import { faultsOf } from '#test/simulation/simulation-options.ts';
import { simulate } from '#test/simulation/simulation.ts';
import { newSeed } from '#test/support/random.ts';

const LARGE = { nodeCount: 500, volumeCount: 10_000, namespaceCount: 400 };

for (const faults of ['all', 'none']) {
  t.test(`10,000 volumes of 500 nodes keep every rule with faults: ${faults}`, async t => {
    const seed = newSeed();
    const result = simulate({ ...LARGE, seed, faults: faultsOf(faults) });
    t.comment(JSON.stringify(result));
    t.strictSame(result.firstViolations, [], `seed ${seed}`);
  });
}
