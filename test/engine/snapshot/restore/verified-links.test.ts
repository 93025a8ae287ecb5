// What --verify makes of names that would become links to files which the target keeps.

import fs from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { backup, planRestore, restore } from '#engine/operations.ts';
import { repositoryFor, request } from '#test/engine/snapshot/backup-scene.ts';

const GOOD = 'good bytes';
const EVIL = 'EVIL bytes';
const TIME = 1_600_000_000;
const repository = await repositoryFor(t);
const tree = t.testdir({ tree: { a: GOOD } }) + '/tree';
fs.linkSync(join(tree, 'a'), join(tree, 'b'));
fs.linkSync(join(tree, 'a'), join(tree, 'c'));
fs.utimesSync(join(tree, 'a'), TIME, TIME);
const { snapshotId: snapshot } = await backup(repository, request(tree));

/** A target whose `a` has the size and the time of the snapshot's, and these bytes. */
function targetWith(t: Test, text: string): string {
  const target = t.testdir({ a: text });
  fs.utimesSync(join(target, 'a'), TIME, TIME);
  return target;
}

const textOf = (...path: string[]): string => fs.readFileSync(join(...path), 'utf8');
const inodeOf = (...path: string[]): number => fs.statSync(join(...path)).ino;

t.test('a missing name is not linked to a kept file that has other bytes', async t => {
  const target = targetWith(t, EVIL);
  const wanted = { snapshot, target, overwrite: 'never', verify: true } as const;
  t.match(await planRestore(repository, wanted), { files: 2, hardLinks: 1 });
  const outcome = await restore(repository, wanted);
  t.match(outcome, { status: 'Completed', filesKept: 1 });
  t.equal(textOf(target, 'a'), EVIL, 'what is kept is kept');
  t.equal(textOf(target, 'b'), GOOD);
  t.equal(inodeOf(target, 'b'), inodeOf(target, 'c'), 'and leads in its place');
});

t.test('a missing name is linked to a kept file that has the bytes', async t => {
  const target = targetWith(t, GOOD);
  await restore(repository, { snapshot, target, overwrite: 'never', verify: true });
  t.equal(inodeOf(target, 'b'), inodeOf(target, 'a'));
});

t.test('without verifying size and time are enough for a link', async t => {
  const target = targetWith(t, EVIL);
  await restore(repository, { snapshot, target, overwrite: 'never' });
  t.equal(inodeOf(target, 'b'), inodeOf(target, 'a'));
});
