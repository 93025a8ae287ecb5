import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import type { BackupTotals } from '#engine/snapshot/backup-progress.ts';
import { large } from './backup-scene.ts';
import { CheckpointScene } from './checkpoint-scene.ts';

const PART = 128 << 10;

t.test('of a file that is read beside another backup, what has come back counts', async t => {
  const root = t.testdir({});
  for (const name of ['one', 'other']) {
    mkdirSync(`${root}/${name}`);
    writeFileSync(`${root}/${name}/large`, large);
  }
  const scene = await CheckpointScene.open(t);
  let held: PromiseWithResolvers<BackupTotals> | undefined;
  const then = async () => {
    const other = await scene.backup({ path: `${root}/other` });
    t.equal(other.bytesRead, large.length);
    held = Promise.withResolvers<BackupTotals>();
    t.match(await held.promise, { bytes: 3 * PART, files: 1 }, 'three of its parts, and the other');
  };
  const outcome = await scene.backup(
    { path: `${root}/one` },
    {
      // Each task reads one part.
      taskMsMax: 0,
      stop: { kind: 'readFile', count: 4, then },
      onProgress: totals => held?.resolve(totals),
    },
  );
  t.equal(outcome.bytesRead, large.length);
});
