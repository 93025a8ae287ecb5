// Maintenance as the Velero server runs it, with its own kopia (KOPIA_VELERO_BIN; where that is not
// given any kopia) and the safety margins of its job (velero pkg/repository/udmrepo/kopialib/
// lib_repo.go, maintenance.SafetyFull), on what an agent has written that goes on all the while.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import t, { type Test } from 'tap';
import { checkRepository, openRepository } from '#engine/index.ts';
import { findKopia, Kopia } from '#test/support/kopia.ts';
import { moverFor, NodeScene } from '#test/support/node-scene.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { NAME, PASSWORD, VeleroScene } from '#test/support/velero-scene.ts';

const found = findKopia();
const program = process.env.KOPIA_VELERO_BIN ?? found.program;
const skip = program === undefined ? found.reason : undefined;
if (skip) t.comment(`skipped: ${skip}`);

const { signal } = new AbortController();
const HOUR_MS = 3_600_000;
const MARGIN_MS = 10 * 24 * HOUR_MS;
/** What needs no margin of time when it is told to go on without. */
const DANGEROUS = '--dangerous-commands=enabled';
/** Writes what lies in short packs into new ones; full maintenance waits two hours for it. */
const REWRITE = ['content', 'rewrite', '--short', '--safety=none', DANGEROUS];
/** Removes packs of which nothing is used, as full maintenance does an hour after that. */
const REMOVE = ['blob', 'gc', '--delete=yes', '--safety=full', DANGEROUS];
const FULL = ['maintenance', 'run', '--full', '--safety=full'];

class MaintenanceScene {
  readonly velero: VeleroScene;
  readonly kopia: Kopia;
  readonly #root: string;
  readonly #node: NodeScene;
  readonly #mover: ReturnType<typeof moverFor>;
  readonly #pods = new Map<string, ReturnType<NodeScene['runPod']>>();
  #restoreCount = 0;

  private constructor(root: string, velero: VeleroScene) {
    this.#root = root;
    this.velero = velero;
    this.#node = new NodeScene(root, velero.kube);
    this.#mover = moverFor(velero, this.#node);
    this.kopia = new Kopia({ directory: `${root}/kopia`, password: PASSWORD, program });
  }

  static async make(t: Test): Promise<MaintenanceScene> {
    const root = t.testdir({ bucket: {} });
    const velero = await VeleroScene.make(`${root}/bucket`);
    t.teardown(() => velero[Symbol.asyncDispose]());
    const scene = new MaintenanceScene(root, velero);
    const place = ['filesystem', '--path', velero.directory];
    const client = ['--override-username=default', '--override-hostname=default'];
    await scene.kopia.run('repository', 'connect', ...place, ...client, '--no-check-for-updates');
    return scene;
  }

  /** The directory of a claim's volume. */
  volume(claim: string): string {
    return this.#podOf(claim).path;
  }

  async backup(claim: string): Promise<string> {
    const { volume } = this.#podOf(claim);
    const order = { repository: NAME, volume, moveUid: `move-of-${claim}` };
    const { snapshotId, skipped } = await this.#mover.backup(order, { signal });
    if (skipped.length > 0) throw new Error(`${skipped.length} files were not read`);
    return snapshotId;
  }

  /** Through the agent, whose repository may have been open all the while. */
  async restoresAs(snapshotId: string, expected: string): Promise<void> {
    const name = `restored-${this.#restoreCount++}`;
    const { path, volume } = this.#node.runPod(name, { claim: name });
    const order = { repository: NAME, volume, moveUid: name, doneFile: 'd', snapshotId };
    const { differenceCount } = await this.#mover.restore(order, { signal });
    if (differenceCount > 0) throw new Error(`${differenceCount} differences`);
    await this.#mover.tidy(order, signal);
    execFileSync('diff', ['-r', '--no-dereference', expected, path]);
  }

  /** What the volume is now, for later. */
  keep(claim: string, name: string): string {
    const kept = `${this.#root}/kept-${name}`;
    fs.cpSync(this.volume(claim), kept, { recursive: true, verbatimSymlinks: true });
    return kept;
  }

  /** All that is stored has been there for longer: what maintenance takes for its age. */
  age(byMs: number): void {
    for (const path of this.blobPaths()) {
      const { mtimeMs } = fs.statSync(path);
      const time = (mtimeMs - byMs) / 1000;
      fs.utimesSync(path, time, time);
    }
  }

  /** Of blobs whose names begin so. */
  blobPaths(prefix = ''): string[] {
    const { directory } = this.velero;
    const entries = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter(entry => entry.isFile())
      .map(({ parentPath, name }) => `${parentPath}/${name}`)
      .filter(path => path.slice(directory.length).replaceAll('/', '').startsWith(prefix));
  }

  /** Ids, without those of manifests. */
  async contents(...flags: readonly string[]): Promise<string[]> {
    const lines = (await this.kopia.run('content', 'list', ...flags)).split('\n');
    return lines.map(line => line.trim()).filter(id => id !== '' && !id.startsWith('m'));
  }

  /**
   * Removes snapshots, and marks all contents that there are, which the job of the server does not
   * do before they are a day old.
   */
  async forget(snapshotIds: readonly string[]): Promise<void> {
    await this.kopia.run('snapshot', 'delete', ...snapshotIds, '--delete');
    await this.kopia.run('content', 'delete', ...(await this.contents()), DANGEROUS);
  }

  async listed(): Promise<string[]> {
    return (await this.kopia.snapshots()).map(({ id }) => id).sort();
  }

  async problems(): Promise<readonly unknown[]> {
    const url = `file://${this.velero.directory}`;
    await using repository = await openRepository({ url, password: PASSWORD, isReadOnly: true });
    return (await checkRepository(repository, { readData: true })).problems;
  }

  #podOf(claim: string): ReturnType<NodeScene['runPod']> {
    const known = this.#pods.get(claim) ?? this.#node.runPod(`pod-of-${claim}`, { claim });
    this.#pods.set(claim, known);
    return known;
  }
}

function fill(path: string, random: SeededRandom, files = 12): void {
  fs.mkdirSync(`${path}/sub/deep`, { recursive: true });
  for (let index = 0; index < files; index++) {
    const directory = ['', 'sub/', 'sub/deep/'][index % 3];
    fs.writeFileSync(`${path}/${directory}file-${index}`, random.bytes(20_000 + 9000 * index));
  }
}

t.test('what is marked as unused is stored again when it is used', { skip }, async t => {
  const scene = await MaintenanceScene.make(t);
  const random = new SeededRandom(5);
  const volume = scene.volume('web');
  fill(volume, random);
  const first = scene.keep('web', 'first');
  await scene.forget([await scene.backup('web')]);
  await scene.kopia.run(...FULL);
  const marked = await scene.contents('--deleted-only');
  t.ok(marked.length > 8, `${marked.length} contents are marked`);

  // The agent has the repository open since before.
  fs.rmSync(`${volume}/sub/deep`, { recursive: true });
  fs.writeFileSync(`${volume}/new`, random.bytes(90_000));
  const second = scene.keep('web', 'second');
  const stays = await scene.backup('web');
  await scene.restoresAs(stays, second);
  fs.cpSync(`${first}/sub`, `${volume}/sub`, { recursive: true });
  const third = scene.keep('web', 'third');
  const again = await scene.backup('web');
  await scene.restoresAs(again, third);
  // All that is marked still is dropped now, packs are written anew, and the old ones go.
  await scene.kopia.maintain();
  await scene.kopia.maintain();
  t.strictSame(await scene.listed(), [stays, again].sort());
  await scene.kopia.verify([stays, again]);
  await scene.restoresAs(stays, second);
  await scene.restoresAs(again, third);
  t.strictSame(await scene.problems(), []);
});

t.test('backups and restores go on while maintenance runs', { skip }, async t => {
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  const scene = await MaintenanceScene.make(t);
  const random = new SeededRandom(seed);
  // Something to do for it: contents of snapshots that are gone, and of one that is not, in many
  // short packs that are old enough to go when they are empty.
  const kept: { snapshotId: string; tree: string }[] = [];
  const old = ['old-1', 'old-2', 'old-3'];
  for (const claim of old) fill(scene.volume(claim), random);
  await scene.forget([await scene.backup(old[0]), await scene.backup(old[1])]);
  kept.push({ snapshotId: await scene.backup(old[2]), tree: scene.keep(old[2], old[2]) });
  scene.age(MARGIN_MS);
  const packs = scene.blobPaths('p');
  const state = { isOver: false };
  let runs = 0;
  const maintaining = (async () => {
    while (!state.isOver || runs < 2) {
      for (const words of [FULL, REWRITE, REMOVE]) await scene.kopia.run(...words);
      runs += 1;
    }
  })();
  for (let round = 0; round < 8; round++) {
    const claim = `web-${round % 2}`;
    fill(scene.volume(claim), random, 6 + round);
    // Contents that are marked, or on their way to other packs.
    const from = scene.volume(old[round % 3]);
    fs.cpSync(`${from}/sub`, `${scene.volume(claim)}/old-${round}`, { recursive: true });
    const tree = scene.keep(claim, String(round));
    const snapshotId = await scene.backup(claim);
    await scene.restoresAs(snapshotId, tree);
    kept.push({ snapshotId, tree });
  }
  state.isOver = true;
  await maintaining;
  const left = new Set(scene.blobPaths('p'));
  t.ok(
    packs.some(path => !left.has(path)),
    'old packs are gone',
  );
  const ids = kept.map(({ snapshotId }) => snapshotId);
  t.strictSame(await scene.listed(), ids.toSorted());
  await scene.kopia.verify(ids);
  await scene.kopia.maintain();
  await scene.kopia.verify(ids);
  for (const { snapshotId, tree } of kept) await scene.restoresAs(snapshotId, tree);
  t.strictSame(await scene.problems(), []);
});

t.test('epochs of the index that end and are compacted lose nothing', { skip }, async t => {
  const scene = await MaintenanceScene.make(t);
  const random = new SeededRandom(7);
  const volume = scene.volume('web');
  const kept: { snapshotId: string; tree: string }[] = [];
  // An epoch ends with 20 indexes, of which the first and the last are a day apart; one that two
  // others have followed is compacted, and its indexes go some hours later (kopia internal/epoch).
  for (const epoch of [0, 1]) {
    for (let count = 0; count < 20; count++) {
      fs.writeFileSync(`${volume}/changes`, `${epoch} ${count}`);
      if (count % 7 === 0) fill(volume, random, 3);
      const snapshotId = await scene.backup('web');
      if (count % 7 === 0) kept.push({ snapshotId, tree: scene.keep('web', `${epoch}-${count}`) });
      if (count === 0) scene.age(30 * HOUR_MS);
    }
    await scene.kopia.run(...FULL);
    t.equal(scene.blobPaths('xe').length, epoch + 1, `epoch ${epoch} has ended`);
  }
  t.ok(scene.blobPaths('xn0').length >= 20);
  await scene.kopia.run(...FULL);
  t.equal(scene.blobPaths('xs0').length, 1, 'and the first is compacted');
  scene.age(30 * HOUR_MS);
  // What is written last tells the time of the storage.
  fs.writeFileSync(`${volume}/changes`, 'after the compaction');
  kept.push({ snapshotId: await scene.backup('web'), tree: scene.keep('web', 'compacted') });
  await scene.kopia.run(...FULL);
  t.equal(scene.blobPaths('xn0').length, 0, 'its indexes are gone');
  const ids = kept.map(({ snapshotId }) => snapshotId);
  for (const { snapshotId, tree } of kept) await scene.restoresAs(snapshotId, tree);
  fill(volume, random, 9);
  const tree = scene.keep('web', 'last');
  const last = await scene.backup('web');
  await scene.restoresAs(last, tree);
  await scene.kopia.verify([...ids, last]);
  t.strictSame(await scene.problems(), []);
});
