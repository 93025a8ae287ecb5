import t from 'tap';
import { decodeSessionMarker, encodeSessionMarker, newSessionId } from '#engine/format/session.ts';
import { bytesOf, hex, textOf } from './text-bytes.ts';

const RANDOM = () => hex('62ba68f399b5b38a');
const TEXT =
  '{"id":"s62ba68f399b5b38a147","startTime":"2026-11-20T08:13:20.445137855-05:00",' +
  '"checkpointTime":"2026-11-20T13:13:21Z","username":"user","hostname":"host"}';

t.test('a session id ends in the number of the month', async t => {
  t.equal(newSessionId(Date.UTC(2026, 10, 20), RANDOM), 's62ba68f399b5b38a147');
  t.equal(newSessionId(Date.UTC(2000, 0, 1), RANDOM), 's62ba68f399b5b38a0');
  t.equal(newSessionId(Date.UTC(2000, 0, 31) - 1, RANDOM), 's62ba68f399b5b38a0');
  t.equal(newSessionId(Date.UTC(2000, 0, 31), RANDOM), 's62ba68f399b5b38a1');
});

t.test('a marker with local times is read', async t => {
  const marker = decodeSessionMarker(bytesOf(TEXT), 's00');
  t.equal(marker.startTimeNs, 1795180400445137855n);
  t.equal(marker.checkpointTimeNs, 1795180401000000000n);
  t.equal(marker.userName, 'user');
  t.equal(marker.hostName, 'host');
});

t.test('a marker is written with its unknown fields', async t => {
  const marker = decodeSessionMarker(bytesOf(TEXT.replace('}', ',"later":1.0}')), 's00');
  const written = textOf(encodeSessionMarker(marker));
  t.equal(
    written,
    '{"id":"s62ba68f399b5b38a147","startTime":"2026-11-20T13:13:20.445137855Z",' +
      '"checkpointTime":"2026-11-20T13:13:21Z","username":"user","hostname":"host","later":1.0}',
  );
});

t.test('a damaged marker is refused', async t => {
  for (const text of ['', '[]', '{"id":7}', '{"startTime":"now"}', '{"startTime":7}']) {
    t.throws(() => decodeSessionMarker(bytesOf(text), 's00'), {
      code: 'REPOSITORY_FORMAT_INVALID',
      message: /session marker s00/,
    });
  }
});
