// What kopia's fields cannot say, and what is known beside a snapshot, when a backup goes on from
// checkpoints.

import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { MemoryStorage } from '#engine/storage/memory.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { setXattr } from '#test/support/set-attributes.ts';
import { storedEntries } from '#test/support/stored-extras.ts';
import { CheckpointScene, type Stop } from './checkpoint-scene.ts';

const LONG_AGO = 1_600_000_000;

function write(path: string, text: string): void {
  writeFileSync(path, text);
  utimesSync(path, LONG_AGO, LONG_AGO);
}

/** Each directory has one of everything. */
function makeOddTree(t: Test): string {
  const root = `${fastDirectory(t)}/tree`;
  for (const name of ['a', 'b', 'c']) {
    const directory = `${root}/${name}`;
    mkdirSync(`${directory}/inner`, { recursive: true });
    setXattr(directory, 'user.of', Buffer.from(name));
    write(`${directory}/plain`, `plain of ${name}`);
    setXattr(`${directory}/plain`, 'user.comment', Buffer.from(name));
    write(`${directory}/sparse`, 'start');
    truncateSync(`${directory}/sparse`, 700_000);
    linkSync(`${directory}/plain`, `${directory}/zz-linked`);
    symlinkSync('plain', `${directory}/link`);
    execFileSync('mkfifo', [`${directory}/pipe`]);
    write(`${directory}/inner/file`, `inner of ${name}`);
    writeFileSync(Buffer.from(`${directory}/\xff`, 'latin1'), 'odd name');
  }
  return root;
}

async function killedAt(
  scene: CheckpointScene,
  path: string,
  { agoMs, ...stop }: Omit<Stop, 'then'> & { readonly agoMs?: number },
): Promise<{ left: MemoryStorage; rootObjectId: string; snapshotId: string }> {
  let left: MemoryStorage | undefined;
  const then = async () => {
    await scene.checkpoint();
    left = await scene.killed();
  };
  const outcome = await scene.backup({ path }, { stop: { ...stop, then }, agoMs });
  if (left === undefined) throw new Error(`there is no ${stop.kind} ${stop.count}`);
  return { left, ...outcome };
}

/** Until nothing is so young any more that it is read again. */
async function settle(scene: CheckpointScene, path: string): Promise<void> {
  while ((await scene.backup({ path })).bytesRead > 0);
}

t.test('everything is stored as without an interruption, wherever that is', async t => {
  const path = makeOddTree(t);
  for (const count of [2, 3, 5, 6]) {
    const scene = await CheckpointScene.open(t);
    const stop = { kind: 'scanDirectory', count } as const;
    const { left, rootObjectId } = await killedAt(scene, path, stop);
    const next = await CheckpointScene.open(t, left);
    const outcome = await next.backup({ path });
    t.match(outcome, { rootObjectId, skippedCount: 0 }, `stopped before directory ${count}`);
    const entries = await storedEntries(next.repository, outcome.snapshotId);
    t.equal(
      entries.get('a/plain')?.extras?.linkGroup,
      entries.get('a/zz-linked')?.extras?.linkGroup,
    );
    // The next one takes over everything, by what this one has noted of it.
    await settle(next, path);
    t.match(await next.backup({ path }), { rootObjectId, bytesRead: 0, contentsNew: 1 });
  }
});

t.test('what is known beside the parent is known beside a checkpoint', async t => {
  const path = makeOddTree(t);
  const scene = await CheckpointScene.open(t);
  await settle(scene, path);
  // Something that is read, so that there is a checkpoint; and what size and time do not show.
  write(`${path}/a/plain`, 'something new');
  write(`${path}/c/inner/file`, 'INNER OF C');
  const stop = { kind: 'scanDirectory', count: 5 } as const;
  const { left, rootObjectId } = await killedAt(scene, path, stop);
  const next = await CheckpointScene.open(t, left);
  const outcome = await next.backup({ path });
  t.match(outcome, { rootObjectId, parentIds: { length: 2 } });
  t.equal(outcome.bytesRead, 'INNER OF C'.length, 'it is read, and what the checkpoint has is not');
});

t.test('what has changed since the run began that left a checkpoint is read again', async t => {
  const path = makeOddTree(t);
  const scene = await CheckpointScene.open(t);
  const stop = { kind: 'scanDirectory', count: 5, agoMs: 60_000 } as const;
  const { left } = await killedAt(scene, path, stop);
  // Neither size nor time of modification show it.
  write(`${path}/a/inner/file`, 'INNER OF A');
  const next = await CheckpointScene.open(t, left);
  const { rootObjectId } = await next.backup({ path });
  const other = await CheckpointScene.open(t);
  t.equal(rootObjectId, (await other.backup({ path })).rootObjectId);
  const believing = await CheckpointScene.open(t, left);
  const outcome = await believing.backup({ path, ignoreCtime: true });
  t.not(outcome.rootObjectId, rootObjectId, 'but not where change times are made up');
});

t.test('with forceHash nothing is taken over from a checkpoint', async t => {
  const path = makeOddTree(t);
  const scene = await CheckpointScene.open(t);
  const { left, rootObjectId } = await killedAt(scene, path, { kind: 'scanDirectory', count: 5 });
  const next = await CheckpointScene.open(t, left);
  const other = await CheckpointScene.open(t);
  const { bytesRead } = await other.backup({ path });
  t.match(await next.backup({ path, forceHash: true }), { rootObjectId, bytesRead });
});

t.test('a checkpoint holds what there is of a directory, pipes included', async t => {
  const path = makeOddTree(t);
  const scene = await CheckpointScene.open(t);
  const { left } = await killedAt(scene, path, { kind: 'scanDirectory', count: 3 });
  const next = await CheckpointScene.open(t, left);
  const [{ id }] = await next.repository.manifests.find({ type: 'snapshot' });
  const entries = await storedEntries(next.repository, id);
  t.match(entries.get('a')?.directory, {
    self: { xattrs: [{ name: 'user.of' }] },
    special: [{ name: 'pipe', type: 'p' }],
  });
  t.ok(entries.has('a/plain'));
  t.notOk(entries.has('b/plain'), 'nobody has looked there yet');
});
