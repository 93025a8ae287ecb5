// Entries that others change in the target between looking at it and writing to it.

import fs from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { RestoreTasks } from '#engine/snapshot/restore/restore-tasks.ts';
import { restore, type RestoreRequest } from '#engine/snapshot/restore/restore.ts';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import type { Node } from '#test/support/stored-tree.ts';
import { sceneOf, type Scene, small } from './restore-scene.ts';

/** Does `then` after the first task of a kind. */
function after({ parts }: Scene, kind: keyof RestoreTasks, then: () => void): Scene['parts'] {
  const { runner } = parts;
  let isDone = false;
  const run = (async (name: keyof RestoreTasks, input: never, options) => {
    const output = await runner.run(name, input, options);
    if (name === kind && !isDone) {
      isDone = true;
      then();
    }
    return output;
  }) as TaskRunner<RestoreTasks>['run'];
  return { ...parts, runner: { ...runner, run } };
}

const overwrite = 'always';

t.test('what comes into being after the target was looked at does not give way', async t => {
  const root: Node = {
    directory: [
      ['a', small('one')],
      ['b', small('two')],
    ],
  };
  const scene = sceneOf(t, root, { target: { a: 'was there' } });
  const { target, snapshot } = scene;
  // As where the target takes `b` and the name of a file that was just restored for the same.
  const parts = after(scene, 'restoreExamine', () => {
    fs.writeFileSync(join(target, 'b'), 'just restored');
  });
  const outcome = await restore(parts, { snapshot, target, overwrite });
  t.match(outcome.differences, [{ path: 'b', found: /TARGET_NOT_EMPTY/ }]);
  t.equal(fs.readFileSync(join(target, 'a'), 'utf8'), 'one');
  t.equal(fs.readFileSync(join(target, 'b'), 'utf8'), 'just restored');
});

t.test('what has taken the place of what was looked at stays as well', async t => {
  const root: Node = { directory: [['a', small('one')]] };
  const scene = sceneOf(t, root, { target: { a: 'was there' } });
  const { target, snapshot } = scene;
  const parts = after(scene, 'restoreExamine', () => {
    fs.writeFileSync(join(target, 'a'), 'just restored');
  });
  const outcome = await restore(parts, { snapshot, target, overwrite });
  t.match(outcome.differences, [{ path: 'a', found: /TARGET_NOT_EMPTY/ }]);
  t.equal(fs.readFileSync(join(target, 'a'), 'utf8'), 'just restored');
});

const TEXT = 'the snapshot says. ';

/** Restores a file of three chunks for which somebody puts another one, as long as it. */
async function exchanged(t: Test, request: Partial<RestoreRequest>): Promise<void> {
  const root: Node = { directory: [['a', { file: TEXT.repeat(3), chunkBytes: TEXT.length }]] };
  const scene = sceneOf(t, root, { target: {} });
  const { target, snapshot } = scene;
  const path = join(target, 'a');
  const theirs = 'somebody'.padEnd(TEXT.length * 3, '!');
  // Between the last chunk and the attributes nobody has the file open.
  const parts = after(scene, 'restoreWriteBack', () => {
    fs.renameSync(path, `${path}.moved`);
    fs.writeFileSync(path, theirs, { mode: 0o666 });
  });
  const outcome = await restore(parts, { snapshot, target, ...request });
  t.match(outcome.differences, [{ path: 'a', found: /something else has taken its place/ }]);
  t.equal(fs.readFileSync(path, 'utf8'), theirs);
}

t.test('chunks are not written to a file that has taken the place of the one begun', async t => {
  await exchanged(t, { overwrite });
});

t.test('an empty target that was there lets others in, too, and is not believed', async t => {
  await exchanged(t, {});
});
