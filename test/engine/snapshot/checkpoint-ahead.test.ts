// A backup that publishes nothing but a checkpoint: what comes before a real one, so that this has
// less to read (docs/pre-copy.md).

import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { listSnapshots, resolveSnapshot } from '#engine/operations.ts';
import { changesOf } from '#engine/snapshot/changes-note.ts';
import { verify } from '#engine/snapshot/verify.ts';
import { SeededRandom } from '#test/support/random.ts';
import { CheckpointScene } from './checkpoint-scene.ts';

const FILES = 100;
const FILE_BYTES = 3_000;
const CHECKPOINT = Object.freeze({ isCheckpoint: true, pins: ['kept'] });
const random = new SeededRandom(5);
const all = { includeIncomplete: true };

function makeTree(t: Test): string {
  const path = `${t.testdir({})}/tree`;
  for (let index = 0; index < FILES; index++) {
    const directory = `${path}/${index % 10}`;
    mkdirSync(directory, { recursive: true });
    writeFileSync(`${directory}/${index}`, random.bytes(FILE_BYTES));
    utimesSync(`${directory}/${index}`, 1_600_000_000, 1_600_000_000);
  }
  return path;
}

async function reasons({ repository }: CheckpointScene): Promise<string[]> {
  return (await listSnapshots(repository, all)).map(({ incomplete }) => incomplete);
}

t.test('a backup after a checkpoint reads what has changed since', async t => {
  const path = makeTree(t);
  const scene = await CheckpointScene.open(t);
  const ahead = await scene.backup({ path, ...CHECKPOINT });
  t.equal(ahead.bytesRead, FILES * FILE_BYTES);
  t.strictSame(await reasons(scene), ['checkpoint']);
  t.strictSame(await listSnapshots(scene.repository), [], 'it is no snapshot');
  const stored = await resolveSnapshot(scene.repository, ahead.snapshotId);
  t.strictSame([stored.pins, changesOf(stored)], [[], undefined], 'nothing keeps it');
  writeFileSync(`${path}/3/3`, random.bytes(FILE_BYTES));
  const real = await scene.backup({ path });
  t.equal(real.bytesRead, FILE_BYTES);
  t.equal(real.bytesTakenOver, (FILES - 1) * FILE_BYTES);
  t.strictSame(real.parentIds, [ahead.snapshotId]);
  t.strictSame(await reasons(scene), [''], 'the checkpoint is gone');
  t.strictSame((await verify(scene.repository, { readPercent: 100 })).problems, []);
});

t.test('it goes on from the last snapshot and the last checkpoint, and replaces that', async t => {
  const path = makeTree(t);
  const scene = await CheckpointScene.open(t);
  const first = await scene.backup({ path });
  const bytesRead = [];
  for (const name of ['4', '14', '24']) {
    writeFileSync(`${path}/4/${name}`, random.bytes(FILE_BYTES));
    bytesRead.push((await scene.backup({ path, ...CHECKPOINT })).bytesRead);
    t.strictSame(await reasons(scene), ['', 'checkpoint'], 'one at a time');
  }
  t.strictSame(bytesRead, [FILE_BYTES, FILE_BYTES, FILE_BYTES]);
  const real = await scene.backup({ path });
  t.equal(real.bytesRead, 0);
  t.not(real.rootObjectId, first.rootObjectId);
  t.strictSame(await reasons(scene), ['', '']);
});

t.test('one that is stopped leaves what it has, and the next one goes on from there', async t => {
  const path = makeTree(t);
  const scene = await CheckpointScene.open(t);
  const end = new AbortController();
  const then = async () => {
    await scene.checkpoint();
    end.abort();
  };
  const stop = { kind: 'scanDirectory', count: 5, then } as const;
  const running = scene.backup({ path, ...CHECKPOINT }, { stop, signal: end.signal });
  await t.rejects(running, { code: 'ABORTED' });
  t.strictSame(await reasons(scene), ['checkpoint']);
  const real = await scene.backup({ path });
  t.ok(real.bytesTakenOver > 0 && real.bytesRead > 0, `${real.bytesRead} read`);
  t.equal(real.bytesTakenOver + real.bytesRead, FILES * FILE_BYTES);
  t.strictSame(await reasons(scene), ['']);
});
