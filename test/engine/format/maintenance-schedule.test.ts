import { randomBytes } from 'node:crypto';
import t from 'tap';
import { openGcm, sealGcm } from '#engine/format/aes-gcm.ts';
import {
  EMPTY_SCHEDULE,
  openMaintenanceSchedule,
  sealMaintenanceSchedule,
} from '#engine/format/maintenance-schedule.ts';
import { maintenanceGcmKey } from '#engine/format/repository-key.ts';
import { bytesOf, sequence, textOf } from './text-bytes.ts';

const KEY = maintenanceGcmKey(sequence(0x80), sequence(0));
const seal = (text: string) => sealGcm(KEY, bytesOf(text), randomBytes);
const open = (sealed: Uint8Array) => textOf(openGcm(KEY, sealed) ?? new Uint8Array(0));

const TEXT =
  '{"nextFullMaintenance":"2026-11-21T08:13:20.445137855-05:00",' +
  '"nextQuickMaintenance":"0001-01-01T00:00:00Z","runs":{"snapshot-gc":[' +
  '{"start":"2026-11-20T13:13:20Z","end":"2026-11-20T13:13:21Z","success":true,' +
  '"extra":[{"kind":"gc","data":{"n":1.0}}]},' +
  '{"start":"2026-11-19T13:13:20Z","end":"2026-11-19T13:13:21Z","error":"disk full"}],' +
  '"cleanup-logs":null},"later":1}';

t.test('a schedule is read with local times', async t => {
  const schedule = openMaintenanceSchedule(KEY, seal(TEXT));
  t.equal(schedule.nextFullNs, 1795266800_445137855n);
  t.equal(schedule.nextQuickNs, undefined);
  t.match(schedule.runs['snapshot-gc'][0], { isSuccess: true, error: '' });
  t.match(schedule.runs['snapshot-gc'][1], { isSuccess: false, error: 'disk full' });
  t.same(schedule.runs['cleanup-logs'], []);
});

t.test('the history survives a rewrite', async t => {
  const schedule = openMaintenanceSchedule(KEY, seal(TEXT));
  const expected = TEXT.replace('T08:13:20.445137855-05:00', 'T13:13:20.445137855Z');
  t.equal(
    open(sealMaintenanceSchedule(KEY, schedule, randomBytes)),
    expected.replace('null', '[]'),
  );
});

t.test('a new repository has nothing in it', async t => {
  const zero = '"0001-01-01T00:00:00Z"';
  t.equal(
    open(sealMaintenanceSchedule(KEY, EMPTY_SCHEDULE, randomBytes)),
    `{"nextFullMaintenance":${zero},"nextQuickMaintenance":${zero},"runs":{}}`,
  );
  t.same(openMaintenanceSchedule(KEY, seal('{}')).runs, {});
});

t.test('a damaged schedule is refused', async t => {
  const other = sealGcm(maintenanceGcmKey(sequence(1), sequence(0)), bytesOf('{}'), randomBytes);
  const texts = ['', '[]', '{"runs":[]}', '{"runs":{"a":5}}', '{"runs":{"a":[5]}}'];
  const times = ['{"nextFullMaintenance":"soon"}', '{"runs":{"a":[{"start":5}]}}'];
  for (const sealed of [other, new Uint8Array(3), ...[...texts, ...times].map(seal)]) {
    t.throws(() => openMaintenanceSchedule(KEY, sealed), { code: 'REPOSITORY_FORMAT_INVALID' });
  }
});
