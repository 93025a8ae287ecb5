import t from 'tap';
import {
  decodeSnapshotManifest,
  encodeSnapshotManifest,
  formatSource,
  rootOf,
  snapshotLabels,
  sourceLabels,
} from '#engine/format/snapshot-manifest.ts';

const ROOT =
  '{"name":"src","type":"d","mode":"0755","mtime":"2026-11-20T10:01:07.385100469Z",' +
  '"obj":"k8653c117a346fd81e3799a08c67c9b0f","summ":{"size":3,"files":1,"symlinks":0,"dirs":1,' +
  '"maxTime":"2026-11-20T10:01:07.385100469Z","numFailed":0}}';
// What Velero wrote for a pod volume.
const VELERO =
  '{"id":"","source":{"host":"default","userName":"default","path":"snapshot-pod-volume/kopia/ns1' +
  '/pod1/pvc1"},"description":"Kopia Uploader","startTime":"2026-11-20T10:01:07.66Z","endTime":' +
  '"2026-11-20T10:01:08.342Z","stats":{"totalSize":3,"excludedTotalSize":0,"fileCount":1,' +
  '"cachedFiles":0,"nonCachedFiles":1,"dirCount":1,"excludedFileCount":0,"excludedDirCount":0,' +
  `"ignoredErrorCount":0,"errorCount":0},"rootEntry":${ROOT},"tags":{"snapshot-requester":` +
  '"snapshot-pod-volume","snapshot-uploader":"kopia"},"pins":["velero-pin"]}';

const decode = (text: string) => decodeSnapshotManifest(text, 'ab');

t.test("Velero's manifest is read and written as it stands", async t => {
  const manifest = decode(VELERO);
  t.equal(manifest.id, 'ab');
  t.equal(manifest.startTimeNs, 1795168867_660000000n);
  t.match(manifest.stats, {
    totalBytes: 3,
    fileCount: 1,
    nonCachedFileCount: 1,
    directoryCount: 1,
  });
  t.equal(manifest.incomplete, '');
  t.same(manifest.pins, ['velero-pin']);
  t.equal(rootOf(manifest).objectId, 'k8653c117a346fd81e3799a08c67c9b0f');
  t.equal(encodeSnapshotManifest(manifest), VELERO);
});

t.test('labels are the source and all tags', async t => {
  const manifest = decode(VELERO);
  const labels = {
    type: 'snapshot',
    hostname: 'default',
    username: 'default',
    path: 'snapshot-pod-volume/kopia/ns1/pod1/pvc1',
  };
  t.same(sourceLabels(manifest.source), labels);
  t.same(snapshotLabels(manifest), { ...labels, ...manifest.tags });
  for (const tag of ['type', 'hostname', 'path', 'username']) {
    t.throws(() => snapshotLabels({ ...manifest, tags: { [tag]: 'x' } }), { code: 'USAGE' });
  }
  for (const part of ['host', 'userName', 'path']) {
    const source = { ...manifest.source, [part]: '' };
    t.throws(() => snapshotLabels({ ...manifest, source }), { code: 'USAGE' });
  }
});

t.test('sources have a short form', async t => {
  t.equal(formatSource({ host: 'h', userName: 'u', path: '/a' }), 'u@h:/a');
  t.equal(formatSource({ host: 'h', userName: 'u', path: '' }), 'u@h');
});

t.test('unknown fields at every level survive a rewrite', async t => {
  const later = '"later":[1.50,18446744073709551616]';
  const text = VELERO.replace('"errorCount":0', `"errorCount":0,${later}`)
    .replace('"numFailed":0', `"numFailed":0,${later}`)
    .replace('"numFailed":0,', '"numFailed":0,')
    .replace(/}}(?=,"tags")/, `},${later}}`)
    .replace(/}$/, `,"storageStats":{"newData":{}},${later}}`);
  t.equal(encodeSnapshotManifest(decode(text)), text);
});

t.test('what is absent is zero', async t => {
  const manifest = decode('{}');
  t.same(manifest.source, { host: '', userName: '', path: '' });
  t.equal(manifest.startTimeNs, 0n);
  t.equal(manifest.rootEntry, undefined);
  t.same(manifest.tags, {});
  t.throws(() => rootOf(manifest), { code: 'SNAPSHOT_DAMAGED', message: /ab/ });
  t.ok(encodeSnapshotManifest(manifest).includes('"rootEntry":null'));
});

t.test('an incomplete snapshot says why', async t => {
  const text = VELERO.replace('"rootEntry"', '"incomplete":"checkpoint","rootEntry"');
  t.equal(decode(text).incomplete, 'checkpoint');
  t.equal(encodeSnapshotManifest(decode(text)), text);
});

t.test('what kopia cannot read is refused', async t => {
  const change = (from: string, to: string) => VELERO.replace(from, to);
  const texts = [
    '',
    'null',
    '[]',
    change('"id":""', '"id":7'),
    change('"fileCount":1', '"fileCount":1.5'),
    change('"fileCount":1', '"fileCount":1.0'),
    change('"fileCount":1', '"fileCount":2147483648'),
    change('"fileCount":1', '"fileCount":"1"'),
    change('"totalSize":3', '"totalSize":3e0'),
    change('"mode":"0755"', '"mode":493'),
    change('"2026-11-20T10:01:07.66Z"', '"then"'),
    change('"2026-11-20T10:01:07.66Z"', '5'),
    change('"Kopia Uploader"', '5'),
    change('["velero-pin"]', '"velero-pin"'),
    change('["velero-pin"]', '[5]'),
    change('"kopia"}', '5}'),
    change('"host":"default"', '"host":5'),
    change('"k8653c117a346fd81e3799a08c67c9b0f"', '""'),
    change('"k8653c117a346fd81e3799a08c67c9b0f"', '"q"'),
    VELERO.replace(ROOT, '[]'),
    VELERO.replace(ROOT, '{"name":"src"}'),
    VELERO.replace(/"stats":{[^}]*}/, '"stats":[]'),
    VELERO.replace(/"source":{[^}]*}/, '"source":"x"'),
  ];
  for (const text of texts) {
    t.throws(
      () => decode(text),
      { code: 'SNAPSHOT_DAMAGED', message: /snapshot ab/ },
      text.slice(0, 60),
    );
  }
});
