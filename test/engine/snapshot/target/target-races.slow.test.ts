// A target that somebody changes while it is written. Whatever comes of the entries, nothing may be
// made, written or changed outside.

import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';

import { removeTree } from '#engine/snapshot/target/remove-tree.ts';
import { settleAt } from '#engine/snapshot/target/settle-node.ts';
import { settleFile } from '#engine/snapshot/target/settle-open.ts';
import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';
import { TargetDirectories } from '#engine/snapshot/target/target-directories.ts';
import { TargetFileSystem } from '#engine/snapshot/target/target-file-system.ts';
import { KEEP_ALL } from '#engine/snapshot/target/wanted-attributes.ts';

import type { SwapOrder } from './swapping-thread.ts';
import { TargetScene, bytesOf, wish } from './target-scene.ts';
import { withoutOpenBeneath } from './without-open-beneath.ts';

const policy = KEEP_ALL;
const ATTEMPTS_MAX = 60_000;
/** Often enough that a mistake would show, where the threads do get their turns. */
const SWAPS_WANTED = 400;

class Swapper implements AsyncDisposable {
  readonly #shared = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;

  constructor(order: Omit<SwapOrder, 'shared'>) {
    const url = new URL('./swapping-thread.ts', import.meta.url);
    this.#worker = new Worker(url, { workerData: { ...order, shared: this.#shared } });
  }

  async ready(): Promise<void> {
    await once(this.#worker, 'message');
  }

  get swaps(): number {
    return Atomics.load(this.#shared, 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#worker, 'exit');
    Atomics.store(this.#shared, 0, 1);
    await ended;
  }
}

/** Tries until there have been enough swaps; what the attempts came to, by code. */
function raced(swapper: Swapper, attempt: (index: number) => string): Map<string, number> {
  const outcomes = new Map<string, number>();
  for (let i = 0; i < ATTEMPTS_MAX && (i < 300 || swapper.swaps < SWAPS_WANTED); i++) {
    let outcome: string;
    try {
      outcome = attempt(i);
    } catch (error) {
      if (!isOfOneEntry(error)) throw error;
      outcome = error.code;
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  return outcomes;
}

function racesSuite(t: Test, fileSystemOf: (scene: TargetScene) => TargetFileSystem): void {
  const open = (native = true) => {
    const scene = new TargetScene({ native });
    mkdirSync(scene.outside('prey'));
    writeFileSync(scene.outside('prey/victim'), 'precious', { mode: 0o640 });
    return scene;
  };
  const victimOf = (scene: TargetScene) => {
    const path = scene.outside('prey/victim');
    const { uid, gid, mode, mtimeMs } = statSync(path);
    return { uid, gid, mode, mtimeMs, text: readFileSync(path, 'utf8') };
  };

  t.test('a directory that becomes a link takes nothing outside', async t => {
    using scene = open();
    const fileSystem = fileSystemOf(scene);
    mkdirSync(scene.inside('a/d/deep'), { recursive: true });
    mkdirSync(scene.outside('prey/deep'));
    const before = victimOf(scene);
    const path = scene.inside('a/d');
    await using swapper = new Swapper({ path, linkTarget: '../../prey', kind: 'directory' });
    await swapper.ready();
    const names = ['a', 'd', 'deep'].map(bytesOf);
    using directories = new TargetDirectories(fileSystem, scene.root);
    const outcomes = raced(swapper, index => {
      directories.forget([]);
      const directory = directories.at(index % 2 === 0 ? names : names.slice(0, 2));
      const name = bytesOf(`f${index}`);
      if (index % 5 === 4) return fileSystem.makeDirectory(directory, name);
      if (index % 5 === 3) {
        fileSystem.makeSymlink(directory, name, bytesOf('x'));
        return 'link';
      }
      if (index % 5 === 2) return String(fileSystem.remove(directory, bytesOf('victim')));
      using file = fileSystem.createFile(directory, name, wish({ mode: 0o666 }));
      scene.write(file, 'evil');
      settleFile(fileSystem, file, wish({ mode: 0o666 }), { policy, bytes: 4 });
      return 'file';
    });
    t.comment(`${swapper.swaps} swaps: ${JSON.stringify([...outcomes])}`);
    t.same(readdirSync(scene.outside('prey')).sort(), ['deep', 'victim']);
    t.same(readdirSync(scene.outside('prey/deep')), []);
    t.same(scene.outsiders(), ['prey']);
    t.same(victimOf(scene), before);
    t.notOk(outcomes.has('true'), 'the victim was removed');
  });

  t.test('a file that becomes a link is neither written nor removed through it', async t => {
    using scene = open();
    const fileSystem = fileSystemOf(scene);
    const { root } = scene;
    const before = victimOf(scene);
    const linkTarget = scene.outside('prey/victim');
    await using swapper = new Swapper({ path: scene.inside('f'), linkTarget, kind: 'file' });
    await swapper.ready();
    const name = bytesOf('f');
    const wanted = wish({ uid: before.uid, mode: 0o604 });
    const outcomes = raced(swapper, index => {
      if (index % 3 === 0) {
        using file = fileSystem.openFile(root, name);
        if (!file) return 'not opened';
        scene.write(file, 'evil');
        return 'opened';
      }
      fileSystem.remove(root, name);
      using file = fileSystem.createFile(root, name, wanted);
      scene.write(file, 'evil');
      settleFile(fileSystem, file, wanted, { policy, bytes: 4 });
      return 'file';
    });
    t.comment(`${swapper.swaps} swaps: ${JSON.stringify([...outcomes])}`);
    t.same(victimOf(scene), before);
    t.same(scene.outsiders(), ['prey']);
  });

  t.test('a link that becomes a name of a file lends it no owner, time or mode', async t => {
    using scene = open();
    const fileSystem = fileSystemOf(scene);
    const { root } = scene;
    const before = victimOf(scene);
    const linkTarget = scene.outside('prey/victim');
    await using swapper = new Swapper({ path: scene.inside('l'), linkTarget, kind: 'link' });
    await swapper.ready();
    const name = bytesOf('l');
    const node = { type: 'l', linkTarget: bytesOf('nowhere') } as const;
    const wanted = wish({ uid: process.geteuid?.() === 0 ? 1234 : before.uid, mtimeSeconds: 1 });
    const outcomes = raced(swapper, () => {
      fileSystem.remove(root, name);
      fileSystem.makeSymlink(root, name, node.linkTarget);
      const differences = settleAt(fileSystem, root, name, wanted, { policy, node });
      return differences.map(({ attribute }) => attribute).join() || 'settled';
    });
    t.comment(`${swapper.swaps} swaps: ${JSON.stringify([...outcomes])}`);
    t.same(victimOf(scene), before);
  });

  t.test('a removal that runs into a link removes nothing behind it', async t => {
    using scene = open();
    const fileSystem = fileSystemOf(scene);
    const before = victimOf(scene);
    const path = scene.inside('tree/d');
    mkdirSync(path, { recursive: true });
    await using swapper = new Swapper({ path, linkTarget: '../../prey', kind: 'directory' });
    await swapper.ready();
    const outcomes = raced(swapper, index => {
      for (const place of ['tree/d', 'tree/d/e']) mkdirQuietly(scene.inside(place));
      writeQuietly(scene.inside(`tree/d/e/${index}`));
      return removeTree(fileSystem, scene.root, bytesOf('tree')) > 0 ? 'removed' : 'none';
    });
    t.comment(`${swapper.swaps} swaps: ${JSON.stringify([...outcomes])}`);
    rmSync(scene.outside('prey/e'), { recursive: true, force: true });
    t.same(readdirSync(scene.outside('prey')), ['victim']);
    t.same(victimOf(scene), before);
  });
}

/** The test fills the tree by path, as fast as it is removed; that may fail at any time. */
function mkdirQuietly(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch {
    // It is a link or gone.
  }
}

function writeQuietly(path: string): void {
  try {
    writeFileSync(path, '');
  } catch {
    // As above.
  }
}

t.test('with the calls of this machine', async t => racesSuite(t, scene => scene.fileSystem));

t.test('without openat2', async t =>
  racesSuite(t, ({ fileSystem }) => new TargetFileSystem(withoutOpenBeneath(fileSystem.calls))),
);
