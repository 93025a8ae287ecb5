import t from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import type { DirSummary } from '#engine/format/directory.ts';
import {
  failureAt,
  SKIPPED_LISTED_MAX,
  TotalsBuilder,
} from '#engine/snapshot/upload/part-totals.ts';

const at = (mtimeSeconds: number, mtimeNanoseconds = 0) => ({ mtimeSeconds, mtimeNanoseconds });
const metadata = (seconds: number) => ({
  name: new Uint8Array(),
  mode: 0o755,
  uid: 0,
  gid: 0,
  bytes: 4096,
  ...at(seconds),
});
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const unreadable = (text: string) => new EngineError('SOURCE_UNREADABLE', text);

function summaryOf(totals: TotalsBuilder, own = at(5)): DirSummary {
  return totals.directorySummary(own);
}

const RUN = (root: string) => ({
  root: bytes(root),
  errorRules: {
    root: { ignoresFileErrors: false, ignoresDirectoryErrors: false, ignoresUnknownTypes: true },
    below: new Map<string, never>(),
  },
});
const failureIn = (root: string, names: readonly Uint8Array[], message: string) =>
  failureAt(RUN(root), names, unreadable(message), 'file');

t.test('an empty directory is as late as itself, whenever that was', async t => {
  for (const own of [at(7, 9), at(-100, 3), at(0)]) {
    t.match(summaryOf(new TotalsBuilder(), own), {
      bytes: 0,
      files: 0,
      symlinks: 0,
      directories: 1,
      maxTimeSeconds: own.mtimeSeconds,
      maxTimeNanoseconds: own.mtimeNanoseconds,
      failedCount: 0,
      failedEntries: [],
    });
  }
});

t.test('a directory with entries is as late as the latest of them, and not as itself', async t => {
  const totals = new TotalsBuilder();
  totals.addFile(at(10, 5), 100);
  totals.addSymlink(at(10, 6));
  totals.addFile(at(9, 999), 50);
  t.match(summaryOf(totals, at(1000)), {
    bytes: 150,
    files: 2,
    symlinks: 1,
    maxTimeSeconds: 10,
    maxTimeNanoseconds: 6,
  });
});

t.test('a directory of files from before 1970 is as late as 1970', async t => {
  const totals = new TotalsBuilder();
  totals.addFile(at(-10, 5), 1);
  t.match(summaryOf(totals), { maxTimeSeconds: 0, maxTimeNanoseconds: 0 });
});

t.test('a directory counts itself and what is below, and is as late as either', async t => {
  const child = new TotalsBuilder();
  child.addFile(at(20), 7);
  const totals = new TotalsBuilder();
  totals.addFile(at(1), 3);
  totals.addDirectory(metadata(15), summaryOf(child));
  t.match(summaryOf(totals), { bytes: 10, files: 2, directories: 2, maxTimeSeconds: 20 });
  totals.addDirectory(metadata(30), summaryOf(new TotalsBuilder(), at(1)));
  t.match(summaryOf(totals), { directories: 3, maxTimeSeconds: 30 });
  t.equal(totals.entryCount, 3);
});

t.test('parts of a directory add up to what one task would have counted', async t => {
  const whole = new TotalsBuilder();
  const parts = [new TotalsBuilder(), new TotalsBuilder(), new TotalsBuilder()];
  for (const [index, totals] of [whole, ...parts].entries()) {
    if (index === 0 || index === 1) totals.addFile(at(3), 10);
    if (index === 0 || index === 2) totals.addSymlink(at(8, 8));
    if (index === 0 || index === 2) totals.addFailure(failureIn('/r', [bytes('x')], 'no'));
    if (index < 2) totals.readFiles += 1;
    if (index < 2) totals.readBytes += 10;
  }
  const sum = new TotalsBuilder();
  for (const part of parts) sum.addPart(structuredClone(part.part()));
  t.strictSame(summaryOf(sum), summaryOf(whole));
  t.strictSame(sum.part(), whole.part());
  t.equal(sum.isFlawless, false);
});

t.test('what has vanished is named and counts as no failure', async t => {
  const totals = new TotalsBuilder();
  const error = new EngineError('SOURCE_VANISHED', 'gone');
  totals.addFailure(failureAt(RUN('/r'), [bytes('a')], error, 'file'));
  t.match(summaryOf(totals), { failedCount: 0, failedEntries: [] });
  t.match(totals.skipped, [{ path: '/r/a', code: 'SOURCE_VANISHED' }]);
  t.notOk(totals.isFlawless);
});

t.test('an empty part does not make its directory look older', async t => {
  const totals = new TotalsBuilder();
  totals.addPart(new TotalsBuilder().part());
  t.match(summaryOf(totals, at(-50)), { maxTimeSeconds: -50 });
});

t.test('a failure has a path from the root of the snapshot, and one for people', async t => {
  const failure = failureIn(
    '/srv/data',
    [bytes('a'), new Uint8Array([0x62, 0xff]), bytes('c\n')],
    'permission denied',
  );
  t.equal(failure.path, '/srv/data/a/b\\xff/c\\x0a');
  t.equal(failure.storedPath, 'a/b\ufffd/c\n');
  const totals = new TotalsBuilder();
  totals.addFailure(failure);
  t.match(summaryOf(totals), {
    failedCount: 1,
    ignoredErrorCount: 0,
    failedEntries: [{ path: 'a/b\ufffd/c\n', error: 'permission denied' }],
  });
  t.match(totals.skipped, [{ path: '/srv/data/a/b\\xff/c\\x0a', code: 'SOURCE_UNREADABLE' }]);
});

t.test('of many failures the first ten by path are named, and all counted', async t => {
  const totals = new TotalsBuilder();
  for (let index = 3000; index > 0; index--) {
    const name = bytes(String(index).padStart(5, '0'));
    totals.addFailure(failureIn('/r', [name], 'no'));
  }
  const summary = summaryOf(totals);
  t.equal(summary.failedCount, 3000);
  t.strictSame(
    summary.failedEntries.map(entry => entry.path),
    Array.from({ length: 10 }, (_, index) => String(index + 1).padStart(5, '0')),
  );
});

t.test('ignored errors are counted apart', async t => {
  const totals = new TotalsBuilder();
  totals.addFailure({ ...failureIn('/r', [bytes('a')], 'no'), isIgnored: true });
  t.match(summaryOf(totals), { failedCount: 0, ignoredErrorCount: 1 });
  t.notOk(totals.isFlawless);
});

t.test('beyond a number, skipped entries are counted and not listed', async t => {
  const totals = new TotalsBuilder();
  const entry = { path: 'p', code: 'SOURCE_CHANGED', message: 'm' };
  for (let index = 0; index < SKIPPED_LISTED_MAX + 5; index++) totals.addSkipped(entry);
  const sum = new TotalsBuilder();
  sum.addSkipped(entry);
  sum.addPart(totals.part());
  t.equal(sum.skipped.length, SKIPPED_LISTED_MAX);
  t.equal(sum.skippedCount, SKIPPED_LISTED_MAX + 6);
});
