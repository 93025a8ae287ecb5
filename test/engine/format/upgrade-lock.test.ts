import t from 'tap';
import { failing, JsonFields } from '#engine/format/json-fields.ts';
import {
  checkUpgradeLock,
  isUpgradeLocked,
  readUpgradeLock,
  upgradeLockJson,
} from '#engine/format/upgrade-lock.ts';

const MINUTE = 60_000_000_000n;
const CREATED = 1_800_000_000_000_000_000n;
const fail = failing('REPOSITORY_FORMAT_INVALID', 'lock', 'give up');

const lock = {
  ownerId: 'me@here',
  creationTimeNs: CREATED,
  advanceNoticeNs: 60n * MINUTE,
  drainTimeoutNs: 15n * MINUTE,
  statusPollIntervalNs: MINUTE,
  message: 'upgrading',
  maxClockDriftNs: 5n * MINUTE,
  extra: undefined,
};

t.test('no lock locks nothing', async t => {
  t.notOk(isUpgradeLocked(undefined, CREATED));
  t.doesNotThrow(() => checkUpgradeLock(undefined, CREATED));
});

t.test('a lock holds a drain period ahead of the announced time', async t => {
  // drain = 5 + 2 * 15 minutes, so it holds from minute 25 on.
  const start = CREATED + 25n * MINUTE;
  t.notOk(isUpgradeLocked(lock, start - 1n));
  t.ok(isUpgradeLocked(lock, start));
  t.doesNotThrow(() => checkUpgradeLock(lock, start - 1n));
  t.throws(() => checkUpgradeLock(lock, start), {
    code: 'REPOSITORY_UPGRADE_IN_PROGRESS',
    message: /me@here/,
    details: { ownerId: 'me@here' },
  });
});

t.test('a lock without enough notice holds at once', async t => {
  t.ok(isUpgradeLocked({ ...lock, advanceNoticeNs: 0n }, 0n));
  t.ok(isUpgradeLocked({ ...lock, advanceNoticeNs: 35n * MINUTE - 1n }, 0n));
  t.notOk(isUpgradeLocked({ ...lock, advanceNoticeNs: 35n * MINUTE }, CREATED - 1n));
});

t.test('a lock is read and written', async t => {
  const json = upgradeLockJson({ ...lock, extra: { later: 1 } });
  t.same(readUpgradeLock(new JsonFields(json, fail)), { ...lock, extra: { later: 1 } });
  t.same(Object.keys(json).at(0), 'ownerID');
});
