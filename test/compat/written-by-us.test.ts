// What we write is a kopia repository: the real one lists it, verifies it to the last byte,
// restores it, goes on incrementally from it, and keeps it whole when its maintenance rewrites and
// deletes.

import t, { type Test } from 'tap';
import {
  backup,
  type BackupRequest,
  checkRepository,
  createRepository,
  forgetSnapshots,
  openRepository,
  restore,
  verify,
} from '#engine/index.ts';
import { findKopia, Kopia, KOPIA_OWNER } from '#test/support/kopia.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { changeSampleTree, makeSampleTree } from '#test/support/sample-tree.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';
import {
  type ListedEntry,
  listingDifferences,
  lostWithoutRoot,
  treeListing,
} from '#test/support/tree-listing.ts';

const { program, reason } = findKopia();
const skip = program === undefined ? reason : undefined;
if (skip) t.comment(`skipped: ${skip}`);

const PASSWORD = 'a password';

type Making = (place: { kopia: Kopia; repository: string }) => Promise<void>;
type How = Pick<BackupRequest, 'chunker' | 'compression'>;

interface Case {
  readonly name: string;
  readonly make: Making;
  readonly how?: How;
}

/** By the flags of `kopia repository create`. */
const byKopia =
  (...flags: readonly string[]): Making =>
  async ({ kopia, repository }) => {
    await kopia.create(repository, ...flags);
  };

const byUs =
  (options: Partial<Parameters<typeof createRepository>[0]>): Making =>
  async ({ kopia, repository }) => {
    const request = { url: `file://${repository}`, password: PASSWORD, owner: KOPIA_OWNER };
    await createRepository({ ...request, ...options });
    await kopia.connect(repository);
  };

const chacha = 'CHACHA20-POLY1305-HMAC-SHA256';
const CASES: readonly Case[] = [
  { name: 'kopia’s defaults', make: byKopia() },
  { name: 'FastCDC and zstd', make: byKopia(), how: { chunker: 'fastcdc', compression: 'zstd:3' } },
  { name: 'no compression', make: byKopia(), how: { compression: 'none' } },
  { name: 'BLAKE3-256', make: byKopia('--block-hash=BLAKE3-256') },
  {
    name: 'HMAC-SHA224 and ChaCha20',
    make: byKopia('--block-hash=HMAC-SHA224', `--encryption=${chacha}`),
  },
  { name: 'HMAC-SHA3-256', make: byKopia('--block-hash=HMAC-SHA3-256') },
  { name: 'BLAKE2S-128', make: byKopia('--block-hash=BLAKE2S-128') },
  { name: 'small chunks', make: byKopia('--object-splitter=DYNAMIC-128K-BUZHASH') },
  { name: 'Rabin-Karp', make: byKopia('--object-splitter=DYNAMIC-1M-RABINKARP') },
  { name: 'fixed chunks', make: byKopia('--object-splitter=FIXED-1M') },
  { name: 'format version 2', make: byKopia('--format-version=2') },
  { name: 'a flat layout', make: byKopia('--flat') },
  { name: 'PBKDF2', make: byKopia('--format-block-key-derivation-algorithm=pbkdf2-sha256-600000') },
  { name: 'our defaults', make: byUs({}) },
  { name: 'ours for Velero', make: byUs({ forVelero: true }) },
  {
    name: 'ours with other algorithms',
    make: byUs({ hash: 'HMAC-SHA256-128', encryption: chacha, splitter: 'DYNAMIC-2M-RABINKARP' }),
  },
];

t.jobs = 2;
for (const { name, make, how = {} } of CASES) {
  const title = `${name}: the real kopia reads and keeps what we write`;
  t.test(title, { skip, buffered: true }, async t => {
    await using scratch = await ScratchDirectory.make();
    const seed = newSeed();
    t.comment(`seed ${seed}`);
    const repository = scratch.join('repository');
    const kopia = new Kopia({ directory: scratch.join('client'), password: PASSWORD });
    await make({ kopia, repository });
    const random = new SeededRandom(seed);
    await keepsWhatWeWrite(t, { scratch, kopia, repository, how, random });
  });
}

interface Scene {
  readonly scratch: ScratchDirectory;
  readonly kopia: Kopia;
  readonly repository: string;
  readonly how: How;
  readonly random: SeededRandom;
}

interface Stored {
  readonly id: string;
  readonly listing: readonly ListedEntry[];
}

async function keepsWhatWeWrite(t: Test, scene: Scene): Promise<void> {
  const { scratch, kopia, random } = scene;
  const path = scratch.join('tree');
  await makeSampleTree(path, random, { smallFiles: 150 });
  const first = await store(t, scene, path);
  await changeSampleTree(path, random);
  const second = await store(t, scene, path);
  await isWhole(t, scene, { stored: [first, second], label: 'as written' });
  await kopia.maintain();
  await kopia.maintain();
  await isWhole(t, scene, { stored: [first, second], label: 'maintained' });
  await forget(scene, first.id);
  await kopia.maintain();
  await isWhole(t, scene, { stored: [second], label: 'collected' });
  await kopia.run('snapshot', 'create', path);
  const theirs = (await kopia.snapshots()).find(({ id }) => id !== second.id);
  t.equal(theirs?.stats.nonCachedFiles, 0, 'kopia takes every file from our snapshot');
}

async function store(t: Test, scene: Scene, path: string): Promise<Stored> {
  await using repository = await openRepository(requestOf(scene));
  const source = { ...KOPIA_OWNER, path };
  const { snapshotId, skipped } = await backup(repository, { path, source, ...scene.how });
  t.same(skipped, [], 'nothing was skipped');
  return { id: snapshotId, listing: await treeListing(path) };
}

async function forget(scene: Scene, snapshotId: string): Promise<void> {
  await using repository = await openRepository(requestOf(scene));
  await forgetSnapshots(repository, [snapshotId]);
}

function requestOf({ repository }: Scene): Parameters<typeof openRepository>[0] {
  return { url: `file://${repository}`, password: PASSWORD, owner: KOPIA_OWNER, threads: 2 };
}

/** By kopia and by us: everything is listed and read, the last snapshot is restored. */
async function isWhole(
  t: Test,
  scene: Scene,
  { stored, label }: { readonly stored: readonly Stored[]; readonly label: string },
): Promise<void> {
  const { kopia, scratch } = scene;
  const ids = stored.map(({ id }) => id);
  t.same((await kopia.snapshots()).map(({ id }) => id).sort(), ids.toSorted(), `${label}: listed`);
  await t.resolves(kopia.verify(ids), `${label}: kopia verifies`);
  await using repository = await openRepository({ ...requestOf(scene), isReadOnly: true });
  t.same((await verify(repository, { readPercent: 100 })).problems, [], `${label}: we verify`);
  const { problems } = await checkRepository(repository, { readData: true });
  t.same(problems, [], `${label}: every content is sound`);
  const [{ id, listing }] = stored.slice(-1);
  const theirs = scratch.join(`kopia-${label}`);
  await kopia.run('snapshot', 'restore', id, theirs);
  t.same(
    listingDifferences(listing, await treeListing(theirs), { without: lostByKopia }),
    [],
    `${label}: kopia restores`,
  );
  const ours = scratch.join(`ours-${label}`);
  await restore(repository, { snapshot: id, target: ours });
  const found = await treeListing(ours);
  t.same(
    listingDifferences(listing, found, { without: lostWithoutRoot }),
    [],
    `${label}: we restore`,
  );
}

/** It gives directories the latest time of what is in them, and symlinks microseconds. */
function lostByKopia(entry: ListedEntry): readonly (keyof ListedEntry)[] {
  const lost = lostWithoutRoot(entry);
  return entry.type === 'f' || entry.path === '.' ? lost : [...lost, 'mtime'];
}
