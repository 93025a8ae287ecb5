import t from 'tap';
import { ProgressMeter } from '#agent/volume-mover/move-progress.ts';
import { DifferenceLines, skippedLines } from '#agent/volume-mover/result-text.ts';
import { veleroNames } from '#agent/volume-mover/velero-source.ts';

const volume = { podUid: 'u', podNamespace: 'shop', podName: 'web', volume: 'data' };

t.test('a snapshot has the names that stock gives it, and ours besides', async t => {
  // The first is what velero-trace-1.18 (kopia-repository.jsonl) has for the same volume.
  const stock = { 'snapshot-requester': 'snapshot-pod-volume', 'snapshot-uploader': 'kopia' };
  t.strictSame(veleroNames({ volume, moveUid: 'uid' }, { name: 'web-data', uid: 'c' }), {
    source: {
      user: 'default',
      host: 'default',
      path: 'snapshot-pod-volume/kopia/shop/web/web-data',
    },
    description: 'Kopia Uploader',
    tags: { ...stock, ns: 'shop', pvc: 'web-data', 'pvc-uid': 'c' },
    pins: ['velero-pin'],
    rootName: 'uid',
    relatedTags: { 'snapshot-uploader': 'kopia', 'pvc-uid': 'c' },
  });
  t.match(veleroNames({ volume, moveUid: 'uid' }, undefined), {
    source: { path: 'snapshot-pod-volume/kopia/shop/web/data' },
    tags: { ...stock, ns: 'shop' },
    relatedTags: undefined,
  });
});

t.test('progress never goes back and never passes the whole', async t => {
  const told: string[] = [];
  const meter = new ProgressMeter(({ totalBytes, bytesDone }) =>
    told.push(`${bytesDone}/${totalBytes}`),
  );
  meter.done(0);
  meter.done(5);
  meter.estimate(10);
  meter.done(3);
  meter.done(12);
  meter.estimate(20);
  meter.finish(15);
  t.strictSame(told, ['5/0', '5/10', '12/12', '12/20', '15/15']);
});

t.test('lines of a result are about the volume and not about the node', async t => {
  const root = '/host_pods/u/volumes/x/y';
  const eio = { path: `${root}/a/b`, code: 'SOURCE_UNREADABLE', message: `cannot read x: EIO; y` };
  const changed = { path: root, code: 'SOURCE_CHANGED', message: 'it changed' };
  t.strictSame(skippedLines([eio, changed], root), ['a/b: EIO', '.: SOURCE_CHANGED']);
  const difference = { path: 'a', attribute: 'mode', expected: '0644', found: '0600' };
  const lines = new DifferenceLines();
  lines.add(difference);
  lines.add({ ...difference, path: '' });
  const text = 'mode is 0600 and not 0644';
  t.strictSame(lines.differences, [`a: ${text}`, `.: ${text}`]);
});
