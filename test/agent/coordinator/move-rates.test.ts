// How far and how fast the moves of a node are, with bytes and time that the test lets pass.

import t from 'tap';
import { type HeldMove, MoveRates } from '#agent/coordinator/move-rates.ts';

class Node {
  nowMs = 50_000;
  readonly traffic = { upload: { passedBytes: 9_000 }, download: { passedBytes: 70 } };
  readonly rates = new MoveRates({
    traffic: this.traffic,
    clock: { monotonic: () => this.nowMs },
  });

  pass(ms: number, bytes: { readonly upload?: number; readonly download?: number } = {}) {
    this.nowMs += ms;
    this.traffic.upload.passedBytes += bytes.upload ?? 0;
    this.traffic.download.passedBytes += bytes.download ?? 0;
  }
}

function moveOf(id: string, sinceMs: number, bytesDone?: number, totalBytes = 0): HeldMove {
  const progress = bytesDone === undefined ? undefined : { bytesDone, totalBytes };
  return { id, kind: 'PodVolumeBackup', sinceMs, progress };
}

t.test('what has passed is split among the moves, and what is done is each its own', async t => {
  const node = new Node();
  node.rates.of([moveOf('a', 50_000, 1_000, 8_000), moveOf('b', 50_000, 0)]);
  node.pass(10_000, { upload: 4_000, download: 200 });
  const both = node.rates.of([moveOf('a', 50_000, 6_000, 8_000), moveOf('b', 50_000, 20)]);
  const part = { uploadBytesPerSecond: 200, downloadBytesPerSecond: 10 };
  const kind = 'PodVolumeBackup';
  t.strictSame(both, [
    { id: 'a', kind, doneBytes: 6_000, totalBytes: 8_000, ...part, doneBytesPerSecond: 600 },
    { id: 'b', kind, doneBytes: 20, totalBytes: undefined, ...part, doneBytesPerSecond: 2 },
  ]);
  node.pass(10_000);
  const [later] = node.rates.of([moveOf('a', 50_000, 6_000, 8_000)]);
  t.match(later, { doneBytesPerSecond: 0, uploadBytesPerSecond: 0 }, 'of the last seconds alone');
});

t.test('who is asked again at once tells of the time before', async t => {
  const node = new Node();
  node.pass(10_000, { upload: 30_000 });
  const [first] = node.rates.of([moveOf('a', 50_000, 20_000)]);
  node.pass(10);
  const [again] = node.rates.of([moveOf('a', 50_000, 20_000)]);
  t.match(first, { uploadBytesPerSecond: 3_000, doneBytesPerSecond: 2_000 });
  t.match(again, { uploadBytesPerSecond: 2_997, doneBytesPerSecond: 1_998 });
});

t.test('of a move that has just begun it counts since then, and no sooner than that', async t => {
  const node = new Node();
  node.pass(10_000);
  const at = (sinceMs: number, bytesDone?: number) =>
    node.rates.of([moveOf('a', sinceMs, bytesDone)])[0]?.doneBytesPerSecond;
  t.equal(at(59_990, 500), undefined, 'not yet');
  node.pass(10_000);
  t.equal(at(68_000), undefined, 'it has told nothing');
  node.pass(10_000);
  t.equal(at(76_000, 8_000), 2_000);
  node.pass(10_000);
  t.equal(at(86_000, 0), 0, 'stopped, and begun again');
});

t.test('nobody moves', async t => {
  const node = new Node();
  node.pass(1_000, { upload: 1 });
  t.strictSame(node.rates.of([]), []);
});
