// One number that proves much: for the same tree and splitter our root object id is the one that
// the real kopia computes, so names, order, modes, times, JSON text, cuts and hashes all agree.

import { cp } from 'node:fs/promises';
import { basename } from 'node:path';
import t, { type Test } from 'tap';
import {
  backup,
  listTree,
  openRepository,
  type Repository,
  type TreeEntry,
} from '#engine/index.ts';
import { findKopia, Kopia, KOPIA_OWNER, type KopiaSnapshot } from '#test/support/kopia.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { makeRandomTree } from '#test/support/random-tree.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';

const { program, reason } = findKopia();
const skip = program === undefined ? reason : undefined;
if (skip) t.comment(`skipped: ${skip}`);

const PASSWORD = 'a password';
const CROWD_EVERY = 20;
/** Directory objects of that many entries are longer than any chunk of the splitters here. */
const CROWD = 2300;

interface Round {
  readonly splitter: string;
  readonly trees: number;
}

const ROUNDS: readonly Round[] = [
  { splitter: 'DYNAMIC-128K-BUZHASH', trees: 60 },
  { splitter: 'DYNAMIC-128K-RABINKARP', trees: 20 },
  { splitter: 'FIXED-128K', trees: 20 },
];

for (const { splitter, trees } of ROUNDS) {
  t.test(`${trees} random trees cut by ${splitter} get kopia's root ids`, { skip }, async t => {
    await using scratch = await ScratchDirectory.make();
    const seed = newSeed();
    t.comment(`seed ${seed}`);
    const paths: string[] = [];
    for (let index = 0; index < trees; index++) {
      const path = scratch.join(`tree-${String(index).padStart(3, '0')}`);
      const crowd = (trees - 1 - index) % CROWD_EVERY === 0 ? CROWD : 0;
      await makeRandomTree(path, new SeededRandom(seed + index), { crowd });
      paths.push(path);
    }
    await compareRoots(t, scratch, { paths, create: [`--object-splitter=${splitter}`] });
    const [last] = paths.slice(-1);
    const ids = await objectIds(scratch.join(`ours-${basename(last)}`), isDirectory);
    t.ok(
      ids.some(id => id.startsWith('Ik')),
      'a directory object was cut',
    );
  });
}

t.test('files that are uploaded in parts get the chunk lists of kopia', { skip }, async t => {
  await using scratch = await ScratchDirectory.make();
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  const mib = 2 ** 20;
  const lengths = [mib - 1, mib, mib + 1, 2 * mib, 3 * mib, 3 * mib + 5, 5 * mib, 5 * mib - 1];
  for (const splitter of ['default', 'small'] as const) {
    const path = scratch.join(splitter);
    await makeRandomTree(path, new SeededRandom(seed), { lengths: [...lengths, ...lengths] });
    const create = splitter === 'small' ? ['--object-splitter=DYNAMIC-128K-BUZHASH'] : [];
    const policy = ['--parallel-upload-above-size-mib=1'];
    await compareRoots(t, scratch, { paths: [path], create, policy });
    // Shorter than the default splitter's minimum, so only the parts can have cut it.
    const cut = await objectIds(scratch.join(`ours-${splitter}`), ({ type, size }) => {
      return type === 'file' && size === mib + 1;
    });
    t.ok(cut.length > 0 && cut.every(id => id.startsWith('Ix')), 'parts were cut');
  }
});

const isDirectory = ({ type }: TreeEntry): boolean => type === 'directory';

/** Of the entries that count in the last snapshot of a repository. */
async function objectIds(
  directory: string,
  counts: (entry: TreeEntry) => boolean,
): Promise<string[]> {
  await using repository = await openRepository({ url: `file://${directory}`, password: PASSWORD });
  const ids: string[] = [];
  for await (const entry of listTree(repository, 'latest', { isRecursive: true })) {
    if (counts(entry)) ids.push(entry.objectId);
  }
  return ids;
}

interface Comparison {
  readonly paths: readonly string[];
  readonly create: readonly string[];
  readonly policy?: readonly string[];
}

/** Stores the trees twice, in two copies of one empty repository, and compares the snapshots. */
async function compareRoots(
  t: Test,
  scratch: ScratchDirectory,
  { paths, create, policy }: Comparison,
): Promise<void> {
  const [name] = paths.slice(-1).map(path => basename(path));
  const theirs = scratch.join(`theirs-${name}`);
  const ours = scratch.join(`ours-${name}`);
  const kopia = new Kopia({ directory: scratch.join(`client-${name}`), password: PASSWORD });
  await kopia.create(theirs, ...create);
  if (policy) await kopia.run('policy', 'set', '--global', ...policy);
  await cp(theirs, ours, { recursive: true });
  await kopia.run('snapshot', 'create', ...paths);
  const snapshots = new Map((await kopia.snapshots()).map(made => [made.source.path, made]));
  await using repository = await openRepository({
    url: `file://${ours}`,
    password: PASSWORD,
    threads: 2,
  });
  await using stock = await openRepository({ url: `file://${theirs}`, password: PASSWORD });
  for (const path of paths) {
    const source = { ...KOPIA_OWNER, path };
    const outcome = await backup(repository, { path, source, chunker: 'repository' });
    const expected = snapshots.get(path);
    t.same(outcome.skipped, [], `${path} is stored whole`);
    if (outcome.rootObjectId === expected?.rootEntry.obj) {
      t.pass(`${path} has kopia's root id`);
      continue;
    }
    const places = [
      { repository: stock, snapshotId: expected?.id ?? '' },
      { repository, snapshotId: outcome.snapshotId },
    ];
    t.fail(`${path} has another root id`, { differences: await firstDifferences(places) });
  }
}

interface Place {
  readonly repository: Repository;
  readonly snapshotId: KopiaSnapshot['id'];
}

/** What to look at when ids differ: the first entries that are not the same in both. */
async function firstDifferences(places: readonly Place[]): Promise<string[]> {
  const [theirs, ours] = await Promise.all(places.map(linesOf));
  const others = new Set(ours);
  const wanted = new Set(theirs);
  const missing = theirs.filter(line => !others.has(line)).map(line => `kopia: ${line}`);
  const unknown = ours.filter(line => !wanted.has(line)).map(line => `we: ${line}`);
  return [...missing.slice(0, 5), ...unknown.slice(0, 5)];
}

async function linesOf({ repository, snapshotId }: Place): Promise<string[]> {
  const lines: string[] = [];
  for await (const entry of listTree(repository, snapshotId, { isRecursive: true })) {
    lines.push(JSON.stringify({ ...entry, mtime: String(entry.mtime) }));
  }
  return lines;
}
