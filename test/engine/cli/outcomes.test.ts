import t from 'tap';
import { renderSurvey } from '#engine/cli/dry-run.ts';
import { renderBackup } from '#engine/cli/backup.ts';
import { renderDifferences } from '#engine/cli/diff.ts';
import { errorDocument, errorText } from '#engine/cli/error-report.ts';
import { renderCheck } from '#engine/cli/repo-check.ts';
import { memoryPlan } from '#engine/base/memory-plan.ts';
import { renderInfo } from '#engine/cli/repo-info.ts';
import { renderForgotten } from '#engine/cli/forget.ts';
import { renderProblems } from '#engine/cli/problems.ts';
import { renderRestore } from '#engine/cli/restore.ts';
import { localTime, renderSnapshots, shortestUnique } from '#engine/cli/snapshots.ts';
import { modeText } from '#engine/cli/tree-entry.ts';
import { EngineError } from '#engine/base/errors.ts';

const MIB = 2 ** 20;

const backed = {
  snapshotId: '3f9a0c12',
  rootObjectId: 'k00',
  files: 1234,
  symlinks: 0,
  directories: 1,
  bytes: 300 * MIB,
  bytesUploaded: 20 * MIB,
  contentsNew: 10,
  contentsReused: 990,
  durationMs: 2000,
  skipped: [],
  skippedCount: 0,
  failedCount: 0,
  failedDirectoryCount: 0,
  ignoredErrorCount: 0,
  bytesRead: 10,
  bytesTakenOver: 0,
  parentIds: [],
};

t.test('the outcome of a backup reads well', async t => {
  t.equal(
    renderBackup(backed),
    'Snapshot 3f9a0c12\n\n' +
      '  content   1,234 files in 1 directory, 300 MiB\n' +
      '  uploaded  20 MiB in 10 new contents\n' +
      '  found     990 contents there already (99 %)\n' +
      '  took      2 s (150 MiB/s)\n',
  );
});

t.test('what was skipped is listed, hostile names escaped, and cut where it is long', async t => {
  const one = { path: 'a\u001b[2J\nb', code: 'SOURCE_UNREADABLE', message: 'permission denied' };
  const text = renderBackup({
    ...backed,
    skipped: Array.from({ length: 60 }, () => one),
    skippedCount: 60,
  });
  t.match(text, 'Not in the snapshot: 60 entries');
  t.match(text, '  a\\x1b[2J\\nb: permission denied (SOURCE_UNREADABLE)\n');
  t.match(text, 'and 10 others; -o json lists all');
  t.notMatch(text, '\u001b');
});

const RESTORED = {
  snapshotId: '3f9a',
  target: '/out',
  furtherTargets: [],
  files: 1,
  directories: 1,
  bytes: 1,
  bytesFetched: 1,
  durationMs: 1,
  status: 'CompletedWithDifferences',
  filesKept: 0,
  bytesPresent: 0,
  removed: 0,
  missingCount: 0,
} as const;

t.test('a glob that nothing matches is named with its option', async t => {
  const text = renderRestore({
    ...RESTORED,
    differenceCount: 1,
    differencesOmitted: 0,
    differencesByAttribute: { selection: 1 },
    differences: [
      { path: '', attribute: 'selection', expected: '/a\u001b', found: 'nothing matches it' },
    ],
  });
  t.match(text, '  --include /a\\x1b: nothing matches it\n');
});

t.test('differences of a restore say what was and what is', async t => {
  const text = renderRestore({
    ...RESTORED,
    differenceCount: 3,
    differencesOmitted: 2,
    differencesByAttribute: { owner: 3 },
    differences: [{ path: 'a', attribute: 'owner', expected: '0:0', found: '1000:1000' }],
  });
  t.match(text, 'Restored to /out\n');
  t.match(text, 'Not as in the snapshot: 3 attributes (owner 3)');
  t.match(text, '\n  a: owner is 1000:1000, was 0:0\n  and 2 others\n');
});

t.test('snapshots stand in tables by source, empty columns left out', async t => {
  const base = { files: 10, bytes: MIB, description: '', incomplete: '' };
  const [etc, srv] = ['/etc', '/srv'].map(path => ({ user: 'me', host: 'desk', path }));
  const nowMs = Date.parse('2026-11-20T12:00:00Z');
  const rows = [
    { ...base, id: 'bbbbbbbbbbbb1', source: etc, startTime: '2026-11-20T10:00:00Z', tags: {} },
    { ...base, id: 'bbbbbbbbbbbb2', source: etc, startTime: '2026-11-19T10:00:00Z', tags: {} },
    { ...base, id: 'ccc', source: srv, startTime: '2026-11-20T10:00:00Z', tags: { a: '1' } },
  ];
  const text = renderSnapshots(rows as never, nowMs);
  t.match(text, 'me@desk:/etc\n  id ');
  t.ok(text.indexOf('bbbbbbbbbbbb2') < text.indexOf('bbbbbbbbbbbb1'), 'the newest is last');
  t.match(text, '2 hours ago');
  t.match(text, 'a:1');
  t.notMatch(text, 'description');
  t.match(text, '3 snapshots of 2 sources\n');
  t.match(renderSnapshots([], nowMs), /stevedore backup PATH/);
});

t.test('ids are cut to where they are unique', async t => {
  t.equal(shortestUnique(['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb']), 10);
  t.equal(shortestUnique(['aaaaaaaaaaaax', 'aaaaaaaaaaaay']), 13);
  t.equal(shortestUnique(['same', 'same']), 10);
});

t.test('modes read as ls has them', async t => {
  t.equal(modeText('directory', 0o755), 'drwxr-xr-x');
  t.equal(modeText('file', 0o4755), '-rwsr-xr-x');
  t.equal(modeText('file', 0o2644), '-rw-r-Sr--');
  t.equal(modeText('directory', 0o1777), 'drwxrwxrwt');
  t.equal(modeText('symlink', 0o777), 'lrwxrwxrwx');
});

t.test('differences have a sign, and names of attributes', async t => {
  const text = renderDifferences([
    { kind: 'added', path: 'a\n', attributes: [] },
    { kind: 'removed', path: 'b', attributes: [] },
    { kind: 'changed', path: 'c', attributes: ['size', 'mtime'] },
  ]);
  t.equal(text, '+ a\\n\n- b\n~ c  (size, mtime)\n');
});

t.test('a check tells what it looked at and what it did not', async t => {
  const outcome = {
    indexBlobs: 1,
    contents: 12_345,
    contentsDeleted: 0,
    packs: 7,
    packBytes: 140 * MIB,
    packsUnreferenced: 2,
    contentsRead: 0,
    bytesRead: 0,
    problems: [],
    problemCount: 0,
  };
  const text = renderCheck(outcome);
  t.match(text, 'contents  12,345\n');
  t.match(text, 'packs     7 and 2 not in use, 140 MiB\n');
  t.match(text, '--read-data');
  t.match(renderCheck({ ...outcome, contentsRead: 5, bytesRead: MIB }), '5 contents, 1 MiB');
});

t.test('the format of a repository reads well', async t => {
  const text = renderInfo({
    location: 'file:///r',
    uniqueId: 'ab',
    formatVersion: 3,
    indexVersion: 2,
    hash: 'BLAKE2B-256-128',
    encryption: 'AES256-GCM-HMAC-SHA256',
    splitter: 'DYNAMIC-4M-BUZHASH',
    keyDerivation: 'scrypt-65536-8-1',
    errorCorrection: 'none',
    packBytesMax: 20 * MIB,
    hasEpochs: true,
    maintenanceOwner: '',
    indexBlobs: 3,
    contents: 1000,
    indexBytes: 36_000,
    memory: memoryPlan(256 * MIB, {
      threads: 8,
      chunkBytesMax: 8 * MIB,
      packBytes: 20 * MIB,
      arePacksInMemory: false,
    }),
    readOnlyReason: '',
    isNative: true,
    warnings: ['old'],
  });
  t.match(text, 'format            3, index 2, epochs\n');
  t.match(text, 'maintained by     nobody\n');
  t.match(text, '1,000 contents in 3 blobs, 35.2 KiB of memory\n');
  t.match(text, '\nwarning: old\n');
});

t.test('problems and forgotten snapshots say what comes next', async t => {
  t.match(renderProblems([]), 'No problems found');
  const problem = { contentId: 'abc', code: 'CONTENT_DAMAGED', message: 'tag does not match' };
  t.match(renderProblems([problem]), /1 problem found\n {2}abc: tag does not match \(CONTENT_DAM/);
  t.match(renderForgotten(['a'], true), /Would forget 1 snapshot\n {2}a\n.*--dry-run/s);
  t.match(renderForgotten(['a', 'b'], false), /Forgot 2 snapshots.*maintenance/s);
});

t.test('an error has a message, a hint and a code', async t => {
  const error = new EngineError('REPOSITORY_PASSWORD_WRONG', 'cannot open \u001b[1m', {
    details: { storage: 'file:///x' },
  });
  t.match(
    errorText(error),
    /^stevedore: cannot open \\x1b\[1m\n +try: .*\n +code: REPOSITORY_PASS/,
  );
  t.strictSame(errorDocument(error), {
    code: 'REPOSITORY_PASSWORD_WRONG',
    message: 'cannot open \u001b[1m',
    details: { storage: 'file:///x' },
  });
});

t.test('what is no EngineError is a fault of ours and asks to be reported', async t => {
  t.match(errorDocument(new TypeError('x is not a function')), { code: 'INTERNAL' });
  t.match(errorText(new Error('a', { cause: new Error('b') }), { hasStack: true }), /caused by/);
  t.match(errorText('text'), /please report/);
});

t.test('a time that cannot be read is shown as it is', async t => {
  t.equal(localTime('never\n'), 'never\\n');
  t.match(localTime('2026-11-20T10:00:00Z'), /^2026-11-\d\d \d\d:00$/);
});

t.test('a dry run shows counts, what is left out, and what cannot be read', async t => {
  const text = renderSurvey({
    source: { user: 'u', host: 'h', path: '/p' },
    parentIds: [],
    files: {
      new: { files: 1, bytes: 2048 },
      changed: { files: 2, bytes: 1024 },
      unchanged: { files: 3, bytes: 0 },
    },
    links: 1,
    directories: 2,
    others: 1,
    excluded: [{ by: 'ignore file', files: 4, directories: 1, bytes: 0 }],
    unreadable: [{ path: '/p/x', code: 'SOURCE_UNREADABLE', message: 'cannot open /p/x' }],
    unreadableCount: 7,
    bytesToUploadMax: 3072,
    durationMs: 5,
  });
  t.match(text, /new +1 file, 2 KiB/);
  t.match(text, 'at most 3 KiB');
  t.match(text, /ignore files +4 +1/);
  t.match(text, 'cannot open /p/x (SOURCE_UNREADABLE)');
  t.match(text, 'and 6 others');
  t.notMatch(text, /\/p\/x: cannot/);
});
