import t from 'tap';
import {
  epochMarkerBlobId,
  indexBlobId,
  indexBlobSetOf,
  ivOfBlobId,
  packBlobId,
  parseEpochBlobId,
  rangeBlobId,
  sessionBlobId,
  sessionIdOfBlob,
  singleEpochBlobId,
  uncompactedPrefix,
  watermarkBlobId,
} from '#engine/format/blob-names.ts';
import { toHex } from '#engine/base/bytes.ts';
import { hex, sequence } from './text-bytes.ts';

const SESSION = 's62ba68f399b5b38a147';
const HASH = hex('161c99000102030405060708090a0b0c');
const SET = { setId: SESSION, count: 1 };

t.test('names are made as kopia makes them', async t => {
  const digits = toHex(HASH);
  t.equal(packBlobId('p', HASH, SESSION), `p${digits}-${SESSION}`);
  t.equal(packBlobId('q', HASH, SESSION), `q${digits}-${SESSION}`);
  t.equal(sessionBlobId(HASH, SESSION), `s${digits}-${SESSION}`);
  t.equal(indexBlobId(12, HASH, SET), `xn12_${digits}-${SESSION}-c1`);
  t.equal(singleEpochBlobId(3, HASH, { setId: 's0011', count: 2 }), `xs3_${digits}-s0011-c2`);
  t.equal(rangeBlobId({ first: 0, last: 7 }, HASH, SET), `xr0_7_${digits}-${SESSION}-c1`);
  t.equal(epochMarkerBlobId(5), 'xe5');
  t.equal(watermarkBlobId(1795169066), 'xw1795169066');
  t.ok(indexBlobId(1, HASH, SET).startsWith(uncompactedPrefix(1)));
  t.notOk(indexBlobId(11, HASH, SET).startsWith(uncompactedPrefix(1)));
});

t.test('names of the epoch manager are taken apart', async t => {
  const cases: [string, unknown][] = [
    ['xe5', { kind: 'marker', epoch: 5 }],
    ['xe07', { kind: 'marker', epoch: 7 }],
    ['xe5_more', { kind: 'marker', epoch: 5 }],
    ['xeabc5', { kind: 'marker', epoch: 5 }],
    ['xw1795169066', { kind: 'watermark', seconds: 1795169066 }],
    ['xn12_ab-s1-c1', { kind: 'uncompacted', epoch: 12 }],
    ['xs3_ab-s1-c1', { kind: 'single', epoch: 3 }],
    ['xr0_7_ab-s1-c1', { kind: 'range', first: 0, last: 7 }],
  ];
  for (const [id, name] of cases) t.same(parseEpochBlobId(id), name, id);
});

t.test('names that kopia ignores are ignored', async t => {
  const ids = ['x', 'xe', 'xe5a', 'x-ours', 'xstuff', 'xn_1', 'xn012_ab', 'xn5', 'xw5_1', 'xwa5'];
  const more = ['xr1_2', 'xr1_b_2', 'xr5_3_ab', 'xq5', 'p00', '', 'xe99999999999999999999'];
  for (const id of [...ids, ...more]) t.equal(parseEpochBlobId(id), undefined, id);
});

t.test('a set is told by session and count', async t => {
  t.same(indexBlobSetOf('xs3_ab-s0011-c2'), { setId: 's0011', count: 2 });
  for (const id of ['xs3_ab', 'xs3_ab-s0011', 'xs3_ab-x0011-c2', 'xs3_ab-s0011-d2', 'a-s1-cx']) {
    t.equal(indexBlobSetOf(id), undefined, id);
  }
});

t.test('the session is the first part behind a dash that begins with s', async t => {
  t.equal(sessionIdOfBlob(`p00-${SESSION}`), SESSION);
  t.equal(sessionIdOfBlob(`xn0_00-${SESSION}-c1`), SESSION);
  t.equal(sessionIdOfBlob('p00-c1-sab'), 'sab');
  t.equal(sessionIdOfBlob('sab'), undefined);
  t.equal(sessionIdOfBlob('p00-c1'), undefined);
});

t.test('the iv of a blob is the end of the hash in its name', async t => {
  const long = sequence(0, 32);
  t.same(ivOfBlobId(indexBlobId(0, HASH, SET)), HASH);
  t.same(ivOfBlobId(indexBlobId(0, long, SET)), sequence(16, 16));
  t.same(ivOfBlobId(`n${toHex(HASH)}`), HASH);
  t.same(ivOfBlobId('_log_20260101000000_abcd_1_2_1_' + toHex(HASH)), HASH);
  for (const id of ['xn0_ab-s1-c1', 'x', '', `xn0_${'zz'.repeat(16)}-s1`, '-' + toHex(HASH)]) {
    t.throws(() => ivOfBlobId(id), { code: 'INDEX_DAMAGED' }, id);
  }
});
