// Random trees there and back, for as long as a minute: backed up, changed, backed up again, and
// each generation restored into nothing and over what is there. Every attribute is compared by the
// one listing (tree-listing.ts), and what the outcome names has to be what differs: nothing, on a
// file system that can hold all of it. A round that fails prints its seed; STEVEDORE_TEST_SEED
// repeats it.

import { mkdirSync, rmSync } from 'node:fs';
import t from 'tap';
import { backup, restore, type Repository } from '#engine/index.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import {
  copyOf,
  faultsOf,
  makeSmallRepository,
  openSmall,
  OWNER,
} from '#test/faults/small-repository.ts';
import { OddTree } from '#test/support/odd-tree.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { type ListedEntry, listingDifferences, treeListing } from '#test/support/tree-listing.ts';

const ROUNDS_MS = 60_000;
/** A hundred times what a round takes. */
const ROUND_MS_MAX = 60_000;
/** A repository that is used for too long makes rounds slower and failures harder to read. */
const ROUNDS_A_REPOSITORY = 20;
/** Side by side in one backup, since a backup costs more than a small tree in it. */
const TREES_A_ROUND = 256;
const ENTRIES_MAX = 12;
const CHANGES_MAX = 8;
const GENERATIONS_MAX = 4;
const FAILURES_MAX = 5;

interface Generation {
  readonly snapshot: string;
  readonly listing: readonly ListedEntry[];
}

/** How a target is restored over, and what of the outcome has to be as in the snapshot. */
interface Mode {
  readonly name: string;
  /** Options of the restore. */
  readonly request: object;
  /** Whether a file that is there is believed to be right when its size and time are. */
  readonly isTrusting: boolean;
  readonly isDelta: boolean;
  /** Whether what the snapshot does not have may stay. */
  readonly hasMore: boolean;
}

const MODES: readonly Mode[] = [
  mode({ overwrite: 'always' }),
  mode({ overwrite: 'if-different' }),
  mode({ delta: true }),
  mode({ overwrite: 'always', deleteExtra: true }),
  mode({ delta: true, deleteExtra: true }),
  mode({ overwrite: 'if-different', delta: true, deleteExtra: true, verify: true }),
];

function mode(request: {
  overwrite?: string;
  delta?: true;
  deleteExtra?: true;
  verify?: true;
}): Mode {
  return {
    name: JSON.stringify(request),
    request,
    isTrusting: request.overwrite === 'if-different',
    isDelta: request.delta === true,
    hasMore: request.deleteExtra !== true,
  };
}

t.setTimeout(5 * ROUNDS_MS);

const small = await makeSmallRepository(t.testdir());
const place = fastDirectory(t);

/** What went wrong in a round; nothing when all is well. */
async function faultsOfRound(repository: Repository, seed: number): Promise<string[]> {
  const random = new SeededRandom(seed);
  const source = `${place}/source`;
  const target = `${place}/target`;
  const faults: string[] = [];
  try {
    mkdirSync(source);
    const trees = Array.from(
      { length: TREES_A_ROUND },
      (_, index) => new OddTree(`${source}/${index}`, random),
    );
    for (const tree of trees) tree.make(1 + random.below(ENTRIES_MAX));
    const generations: Generation[] = [];
    const count = 1 + random.below(GENERATIONS_MAX);
    for (let index = 0; index < count; index++) {
      if (index > 0) changeAll(trees, random, { isSecret: true });
      const listing = await treeListing(source);
      const request = { path: source, source: { ...OWNER, path: `/round/${seed}` } };
      const outcome = await backup(repository, request);
      for (const { path, message } of outcome.skipped) faults.push(`skipped ${path}: ${message}`);
      generations.push({ snapshot: outcome.snapshotId, listing });
    }
    let restored = random.pick(generations);
    faults.push(...(await faultsOfRestore(repository, restored, { target, mode: FRESH })));
    faults.push(...(await faultsOfNever(repository, random.pick(generations), target)));
    let isAfterDelta = false;
    for (let index = 0; index < 2; index++) {
      const picked = random.pick(MODES);
      // What is trusted stays as an earlier restore by differences left it, holes included.
      const chosen = { ...picked, isDelta: picked.isDelta || (isAfterDelta && picked.isTrusting) };
      isAfterDelta ||= picked.isDelta;
      const restoredTrees = trees.map((_, index) => new OddTree(`${target}/${index}`, random));
      changeAll(restoredTrees, random, { isSecret: !chosen.isTrusting });
      // Generations may have the same size and time and other bytes, which trust does not see.
      if (!chosen.isTrusting) restored = random.pick(generations);
      faults.push(...(await faultsOfRestore(repository, restored, { target, mode: chosen })));
    }
  } catch (error) {
    faults.push(
      `thrown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  } finally {
    for (const path of [source, target]) rmSync(path, { recursive: true, force: true });
  }
  return faults;
}

function changeAll(
  trees: readonly OddTree[],
  random: SeededRandom,
  { isSecret }: { readonly isSecret: boolean },
): void {
  for (const tree of trees) tree.change({ count: 1 + random.below(CHANGES_MAX), isSecret });
}

const FRESH: Mode = {
  name: 'fresh',
  request: {},
  isTrusting: false,
  isDelta: false,
  hasMore: false,
};

async function faultsOfRestore(
  repository: Repository,
  { snapshot, listing }: Generation,
  { target, mode: chosen }: { readonly target: string; readonly mode: Mode },
): Promise<string[]> {
  const request = { snapshot, target, ...chosen.request };
  const outcome = await restore(repository, request);
  // A directory that is in the way of something else stays with what is in it, and so do other
  // names of what was to be there; all of them are named.
  const isBlocked = outcome.differences.some(({ found }) => IN_THE_WAY.test(found));
  const [kept, differences] = partition(
    outcome.differences,
    ({ attribute }) => chosen.hasMore && isBlocked && attribute === 'entry',
  );
  const keptPaths = new Set(kept.map(({ path }) => blurred(path)));
  const named = differences.map(
    ({ path, attribute, expected, found }) =>
      `named ${JSON.stringify(path)} ${attribute}: ${expected}, ${found}`,
  );
  const expected = listing.filter(({ path }) => !keptPaths.has(blurred(path)));
  // Zeros that are a hole in the target already stay one.
  const without = (): (keyof ListedEntry)[] => [
    ...(kept.length > 0 ? (['sameAs'] as const) : []),
    ...(chosen.isDelta ? (['holes'] as const) : []),
  ];
  const found = listingDifferences(expected, await treeListing(target), { without }).filter(
    line => !chosen.hasMore || !line.endsWith('is there, too'),
  );
  return [...named, ...found].map(line => `${chosen.name}: ${line}`);
}

/** What is there stays as it is, what is not comes; directories do both. */
async function faultsOfNever(
  repository: Repository,
  { snapshot, listing }: Generation,
  target: string,
): Promise<string[]> {
  const before = await treeListing(target);
  const { differences } = await restore(repository, { snapshot, target, overwrite: 'never' });
  const after = await treeListing(target);
  const isThere = new Set(before.map(({ path }) => path));
  const named = differences.map(({ path }) => blurred(path));
  const isNamed = (path: string) =>
    named.some(each => blurred(path) === each || blurred(path).startsWith(`${each}/`));
  const expected = [
    ...before.filter(({ type }) => type !== 'd'),
    ...listing.filter(({ path }) => !isThere.has(path) && !isNamed(path)),
  ];
  // New names may share a file with names that were there, if its size and time are right.
  const shared = new Set(listing.flatMap(({ path, sameAs }) => (sameAs ? [path, sameAs] : [])));
  const without = ({ path }: ListedEntry): (keyof ListedEntry)[] =>
    shared.has(path) && !isThere.has(path) ? TRUSTED : ['sameAs'];
  return listingDifferences(expected, after, { without })
    .filter(line => !line.endsWith('is there, too'))
    .map(line => `never: ${line}`);
}

const TRUSTED: (keyof ListedEntry)[] = [
  'sameAs',
  'mode',
  'uid',
  'gid',
  'sha256',
  'xattrs',
  'flags',
  'project',
  'holes',
];

/** Bytes that are not UTF-8 are spelled in more than one way. */
function blurred(path: string): string {
  return path.replaceAll(/\\x[0-9a-f]{2}|\ufffd/g, '?');
}

const IN_THE_WAY = /a directory is in the way|EISDIR/;

const HANGS = 'it takes for ever';

async function withinTime(round: Promise<string[]>): Promise<string[]> {
  const { promise, resolve } = Promise.withResolvers<string[]>();
  const timer = setTimeout(() => resolve([HANGS]), ROUND_MS_MAX);
  try {
    return await Promise.race([round, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function partition<Item>(items: readonly Item[], isFirst: (item: Item) => boolean) {
  return [items.filter(isFirst), items.filter(item => !isFirst(item))] as const;
}

t.test('random trees come back as they were, with nothing left unsaid', async t => {
  const isRepeated = process.env.STEVEDORE_TEST_SEED !== undefined;
  const firstSeed = newSeed();
  const end = performance.now() + ROUNDS_MS;
  let failures = 0;
  let rounds = 0;
  while (failures < FAILURES_MAX && (rounds === 0 || !isRepeated) && performance.now() < end) {
    await using repository = await openSmall(await copyOf(small.storage), small.format);
    for (let index = 0; index < ROUNDS_A_REPOSITORY && performance.now() < end; index++) {
      const seed = (firstSeed + rounds) >>> 0;
      rounds++;
      const faults = await withinTime(faultsOfRound(repository, seed));
      if (faults.length > 0) {
        failures++;
        t.fail(`STEVEDORE_TEST_SEED=${seed}: ${faults.length} faults`, {
          faults: faults.slice(0, 20),
        });
      }
      if (isRepeated || failures >= FAILURES_MAX || faults.includes(HANGS)) break;
    }
    t.strictSame(await faultsOf(repository), [], 'the repository is sound');
  }
  t.comment(`${rounds * TREES_A_ROUND} trees, ${TREES_A_ROUND} to a seed, from ${firstSeed}`);
  t.ok(rounds > 0);
});
