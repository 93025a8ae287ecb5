// Three of ours and two of kopia's write into one repository at the same time, without any lock.
// The trees share much, so the writers store the same contents and refer to each other's.

import { spawn, type ChildProcess } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { checkRepository, createRepository, openRepository, restore } from '#engine/index.ts';
import { findKopia, Kopia, KOPIA_OWNER } from '#test/support/kopia.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { makeSampleTree } from '#test/support/sample-tree.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';
import { listingDifferences, lostWithoutRoot, treeListing } from '#test/support/tree-listing.ts';

const { program, reason } = findKopia();
const skip = program === undefined ? reason : undefined;
if (skip) t.comment(`skipped: ${skip}`);

const PASSWORD = 'a password';
const MIB = 2 ** 20;
const OURS = 3;
const THEIRS = 2;
const ENTRY = fileURLToPath(new URL('back-up.ts', import.meta.url));

t.test('five writers at once lose nothing', { skip }, async t => {
  await using scratch = await ScratchDirectory.make();
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  const repository = scratch.join('repository');
  const url = `file://${repository}`;
  await createRepository({ url, password: PASSWORD, owner: KOPIA_OWNER });
  const paths = await makeTrees(scratch, seed);
  const clients: Kopia[] = [];
  for (let index = 0; index < THEIRS; index++) {
    const kopia = new Kopia({ directory: scratch.join(`client-${index}`), password: PASSWORD });
    await kopia.connect(repository);
    clients.push(kopia);
  }
  const writers = await Promise.all(paths.slice(0, OURS).map(path => Writer.start(url, path)));
  const theirs = clients.map((kopia, index) => {
    return kopia.run('snapshot', 'create', paths[OURS + index]);
  });
  await Promise.all([...writers.map(writer => writer.finish()), ...theirs]);

  const [kopia] = clients;
  const snapshots = await kopia.snapshots();
  t.same(snapshots.map(({ source }) => source.path).sort(), paths.toSorted(), 'all are listed');
  const ids = snapshots.map(({ id }) => id);
  await t.resolves(kopia.verify(ids), 'kopia verifies all five');
  await kopia.maintain();
  await t.resolves(kopia.verify(ids), 'and after maintenance');
  await using opened = await openRepository({ url, password: PASSWORD, isReadOnly: true });
  t.same((await checkRepository(opened, { readData: true })).problems, [], 'nothing is damaged');
  for (const { id, source } of snapshots) {
    const target = scratch.join(`restored-${id}`);
    await restore(opened, { snapshot: id, target });
    const [expected, found] = await Promise.all([source.path, target].map(treeListing));
    t.same(
      listingDifferences(expected, found, { without: lostWithoutRoot }),
      [],
      `${source.path} comes back`,
    );
  }
});

/** The same large files everywhere, with random small ones that are of one tree alone. */
async function makeTrees(scratch: ScratchDirectory, seed: number): Promise<string[]> {
  const largeBytes = [9 * MIB, 12 * MIB, 22 * MIB];
  const shared = scratch.join('shared');
  await makeSampleTree(shared, new SeededRandom(seed), { smallFiles: 100, largeBytes });
  const paths: string[] = [];
  for (let index = 0; index < OURS + THEIRS; index++) {
    const path = scratch.join(`tree-${index}`);
    const largeBytes = [5 * MIB + index];
    const random = new SeededRandom(seed + 1 + index);
    await makeSampleTree(path, random, { smallFiles: 400, largeBytes });
    await cp(shared, `${path}/shared`, { recursive: true, preserveTimestamps: true });
    paths.push(path);
  }
  await rm(shared, { recursive: true });
  return paths;
}

class Writer {
  readonly #child: ChildProcess;
  readonly #end: Promise<unknown[]>;
  #errors = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#end = once(child, 'exit');
    child.stderr?.on('data', piece => (this.#errors += String(piece)));
  }

  /** Resolves when the writer has the repository open. */
  static async start(url: string, path: string): Promise<Writer> {
    const env = { ...process.env, TEST_PASSWORD: PASSWORD };
    const child = spawn(process.execPath, [ENTRY, url, path], { stdio: 'pipe', env });
    const writer = new Writer(child);
    const isOpen = once(createInterface({ input: child.stdout }), 'line');
    await Promise.race([isOpen, writer.#end]);
    if (child.exitCode !== null) throw new Error(`a writer failed to open: ${writer.#errors}`);
    return writer;
  }

  async finish(): Promise<void> {
    this.#child.stdin?.end();
    const [status] = await this.#end;
    if (status !== 0)
      throw new Error(`a writer ended with status ${String(status)}: ${this.#errors}`);
  }
}
