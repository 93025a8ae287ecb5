// What users read. One line, the cause first, below a KiB, and nothing that a terminal obeys.

import t from 'tap';
import {
  backupMessage,
  cancelMessage,
  failureMessage,
  messageLine,
  restoreMessage,
} from '#agent/moves/move-message.ts';
import { EngineError } from '#engine/base/errors.ts';

const BACKUP = {
  snapshotId: 'a'.repeat(32),
  totalBytes: 5,
  incrementalBytes: 5,
  isEmpty: false,
  skippedCount: 0,
  skippedDirectoryCount: 0,
  skipped: [],
};

t.test('a failure has its cause and its code', async t => {
  const error = new EngineError('REPOSITORY_PASSWORD_WRONG', 'repository shop: wrong password');
  t.equal(failureMessage(error), 'repository shop: wrong password (REPOSITORY_PASSWORD_WRONG)');
  t.equal(failureMessage(new TypeError('x is not a function')), 'x is not a function (INTERNAL)');
  t.equal(failureMessage('odd'), 'odd (INTERNAL)');
});

t.test('a long message is cut between characters, and stays below a KiB', async t => {
  for (const character of ['a', 'é', '€', '😀']) {
    for (const length of [330, 333, 499, 500, 501, 998, 999, 1000, 1001, 5000]) {
      const line = messageLine(character.repeat(length));
      t.ok(Buffer.byteLength(line) <= 1000);
      t.notMatch(line, /\ufffd/);
      const isCut = length * Buffer.byteLength(character) > 1000;
      t.equal(line.endsWith('…'), isCut, `${length} times ${character}`);
      t.ok(!isCut || Buffer.byteLength(line) > 990);
    }
  }
});

t.test('a failure that is too long loses its end, not its beginning', async t => {
  const message = failureMessage(new EngineError('STORAGE_FAILED', `first ${'x'.repeat(2000)}`));
  t.ok(message.startsWith('first xxx'));
  t.ok(Buffer.byteLength(message) <= 1000);
});

t.test('names with controls are escaped', async t => {
  t.equal(messageLine('a\nb\u001b[31m\u202ec\u007f'), 'a\\u000ab\\u001b[31m\\u202ec\\u007f');
});

t.test('files that were skipped are named', async t => {
  t.equal(backupMessage(BACKUP), undefined);
  t.equal(backupMessage({ ...BACKUP, isEmpty: true }), 'the volume was empty');
  t.equal(
    backupMessage({ ...BACKUP, skippedCount: 1, skipped: ['logs/a.log: EIO'] }),
    'one file was not backed up: logs/a.log: EIO',
  );
  t.equal(
    backupMessage({ ...BACKUP, skippedCount: 5, skipped: ['a: EIO', 'b: EACCES'] }),
    '5 files were not backed up: a: EIO; b: EACCES, and 3 more',
  );
  t.equal(backupMessage({ ...BACKUP, skippedCount: 2 }), '2 files were not backed up');
});

t.test('directories that are missing as a whole are told first', async t => {
  const skipped = ['logs/: EIO'];
  const one = { ...BACKUP, skippedCount: 1, skippedDirectoryCount: 1, skipped };
  t.equal(backupMessage(one), 'a whole directory was not backed up: logs/: EIO');
  t.equal(
    backupMessage({ ...one, skippedCount: 4, skippedDirectoryCount: 3 }),
    '3 whole directories were not backed up, and one file was not: logs/: EIO, and 3 more',
  );
});

t.test('differences after a restore are named', async t => {
  const missing = { missingCount: 0, missing: [] };
  const plain = { totalBytes: 1, ...missing, differenceCount: 0, differences: [] };
  t.equal(restoreMessage(plain), undefined);
  t.equal(
    restoreMessage({ ...plain, differenceCount: 1, differences: ['a: owner is 0, not 5'] }),
    'restored with one difference: a: owner is 0, not 5',
  );
  t.equal(
    restoreMessage({ ...plain, differenceCount: 2, differences: ['a: mode', 'b: mode'] }),
    'restored with 2 differences: a: mode; b: mode',
  );
  const absent = { ...plain, missingCount: 7, missing: ['x: EACCES', 'y: EACCES'] };
  const text = '7 entries are missing: x: EACCES; y: EACCES, and 5 more';
  t.equal(restoreMessage(absent), text);
  t.equal(
    restoreMessage({ ...absent, differenceCount: 1, differences: ['a: mode'] }),
    `${text}; restored with one difference: a: mode`,
  );
});

t.test('a cancel that is shown as Failed says so', async t => {
  t.equal(cancelMessage('requested', false), 'cancelled, because spec.cancel was set');
  t.match(
    cancelMessage('requested', true),
    /^cancelled, because spec.cancel was set; shown as Failed/,
  );
  t.match(cancelMessage('deletion', false), /being deleted/);
});
