// A small cluster in a few nights, and the same with parts of the protocol taken away.

import t from 'tap';
import { newSeed } from '#test/support/random.ts';
import { BREAKS, faultsOf, type Break } from './simulation-options.ts';
import { simulate } from './simulation.ts';

const SMALL = { nodeCount: 20, volumeCount: 300, namespaceCount: 40 };
const SMALLER = { ...SMALL, volumeCount: 200 };
const SEEDS_MAX = 20;
const ALONE_MAX = 15;

t.test('with all faults no rule is broken and every volume is moved', async t => {
  const seed = newSeed();
  for (let night = 0; night < 2; night++) {
    const result = simulate({ ...SMALL, seed: seed + night, faults: faultsOf('all') });
    t.strictSame(result.firstViolations, [], `seed ${seed + night}`);
    t.ok(result.grants + result.alone >= SMALL.volumeCount, `seed ${seed + night}`);
  }
});

t.test('with messages late, lost or doubled nothing is begun twice', async t => {
  const seed = newSeed();
  const result = simulate({ ...SMALL, seed, faults: faultsOf('delay,loss,duplication') });
  t.strictSame(result.firstViolations, [], `seed ${seed}`);
  // In one night of 250 a slot is given back unused, as word of it came too late, and given anew.
  t.ok(result.grants + result.alone >= SMALL.volumeCount, `seed ${seed}`);
  // Once in a while so many are lost in a row that a node hears nothing for a lease time: in 30 of
  // 600 nights, with at most 4 volumes each.
  t.ok(result.alone <= ALONE_MAX, `seed ${seed}: ${result.alone} alone`);
});

t.test('a seed gives the same night again', async t => {
  const options = { ...SMALL, volumeCount: 100, seed: 7, faults: faultsOf('all') };
  const [first, second] = [simulate(options), simulate(options)].map(result => ({
    ...result,
    grantP99Ms: 0,
  }));
  t.strictSame(first, second);
});

/** The first night in which it shows. */
function nightsUntilNoticed(broken: Break): number | undefined {
  for (let seed = 0; seed < SEEDS_MAX; seed++) {
    const { violations } = simulate({ ...SMALLER, seed, broken, faults: faultsOf('all') });
    if (violations > 0) return seed + 1;
  }
  return undefined;
}

for (const broken of BREAKS) {
  t.test(`a protocol without its ${broken} is noticed`, async t => {
    t.ok(nightsUntilNoticed(broken), `in ${SEEDS_MAX} nights`);
  });
}
