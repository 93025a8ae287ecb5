import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { CheckpointScene } from './checkpoint-scene.ts';

/** Four pages, which two threads share; one of them has not opened the directory before. */
const FILES = 16_000;

t.test(
  'a large directory that goes while it is stored is named, and the rest is stored',
  async t => {
    const root = t.testdir({ kept: 'kept' });
    mkdirSync(`${root}/large`);
    for (let index = 0; index < FILES; index++) writeFileSync(`${root}/large/f${index}`, '');
    const scene = await CheckpointScene.open(t, undefined, 2);
    const then = async () => rmSync(`${root}/large`, { recursive: true });
    const stop = { kind: 'storePage', count: 1, then } as const;
    const outcome = await scene.backup({ path: root, onError: 'warn' }, { stop });
    t.ok(outcome.snapshotId);
    t.equal(outcome.failedCount, 0, 'what vanishes is no failure');
    const named = outcome.skipped.filter(({ path }) => path === `${root}/large`);
    t.match(named, [
      { code: 'SOURCE_VANISHED', message: /what had not been read of it is missing/ },
    ]);
    t.equal(named.length, 1, 'once for all of its pages');
    // Nothing of a directory that was not stored whole is taken over.
    mkdirSync(`${root}/large`);
    writeFileSync(`${root}/large/new`, 'new');
    const again = await scene.backup({ path: root });
    t.strictSame(again.skipped, []);
    t.equal(again.files, 2);
  },
);
