import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DifferenceReport } from '#engine/cli/difference-report.ts';
import type { Engine } from '#engine/cli/verb.ts';
import { runWords } from './surface.ts';

const { signal } = new AbortController();
const difference = { path: 'file', attribute: 'uid', expected: '0', found: '1000' };

type Listener = (each: typeof difference) => void;

/** A restore that finds `count` differences, a few at a time. */
function finding(count: number) {
  const runs: unknown[] = [];
  const restore = async (_: unknown, request: unknown, options: { onDifference: Listener }) => {
    runs.push(request);
    for (let i = 0; i < count; i++) {
      if (i % 64 === 0) await new Promise(setImmediate);
      options.onDifference(difference);
    }
    return {
      status: count === 0 ? 'Completed' : 'CompletedWithDifferences',
      snapshotId: 'abc',
      target: '/no/where',
      furtherTargets: [],
      files: count,
      directories: 1,
      bytes: 1,
      bytesFetched: 1,
      durationMs: 1,
      filesKept: 0,
      bytesPresent: 0,
      removed: 0,
      differences: Array.from({ length: Math.min(count, 100) }, () => difference),
      differenceCount: count,
      missingCount: 0,
      differencesOmitted: Math.max(count - 100, 0),
      differencesByAttribute: { uid: count },
    };
  };
  return { runs, restore };
}

function run(words: string[], restore: unknown) {
  const openRepository = async () => ({ [Symbol.asyncDispose]: async () => {} });
  return runWords(['restore', 'abc', '/no/where', ...words], {
    environment: { STEVEDORE_REPO: 'file:///r', STEVEDORE_PASSWORD: 'p' },
    // A stub has only the functions that the verb under test calls.
    loadEngine: async () => ({ openRepository, restore }) as unknown as Engine,
  });
}

function lineCount(path: string): number {
  return fs.readFileSync(path, 'utf8').split('\n').length - 1;
}

/** Where temporary files go for as long as the test runs. */
function useTemporary(t: { teardown: (done: () => void) => void }, path: string): void {
  const { TMPDIR } = process.env;
  process.env.TMPDIR = path;
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
}

t.test('more differences than the outcome lists are all in a file', async t => {
  const place = t.testdir({});
  useTemporary(t, place);
  t.match(await run([], finding(100).restore), { status: 3, stdout: /others\n$/ });
  t.same(fs.readdirSync(place), []);
  const { status, stdout } = await run(['-o', 'json'], finding(101).restore);
  t.equal(status, 3);
  const { report } = JSON.parse(stdout) as { report: string };
  t.equal(lineCount(report), 101);
  t.match(await run([], finding(0).restore), { status: 0 });
});

t.test('a report that was asked for is there even when it is empty', async t => {
  const path = join(t.testdir({}), 'report');
  t.match(await run(['--report', path], finding(0).restore), { status: 0 });
  t.equal(lineCount(path), 0);
  const { stdout } = await run(['--report', path], finding(3).restore);
  t.match(stdout, `all of them: ${path}\n`);
  t.equal(lineCount(path), 3);
});

t.test('a report that cannot be opened is wrong usage before anything is restored', async t => {
  const place = t.testdir({});
  for (const path of [join(place, 'missing/report'), place]) {
    const { runs, restore } = finding(1);
    const ran = await run(['--report', path], restore);
    t.match(ran, { status: 2, stdout: '' });
    t.match(ran.stderr, `cannot be written to ${path}: `);
    t.match(ran.stderr, /\((ENOENT|EISDIR)\); name a file .* nothing was restored/);
    t.same(runs, []);
  }
});

t.test('a report that nobody asked for and that cannot be made ends no restore', async t => {
  useTemporary(t, '/nowhere');
  const { status, stdout, stderr } = await run([], finding(300).restore);
  t.equal(status, 3);
  t.equal(stderr, '');
  t.match(stdout, 'Not as in the snapshot: 300 attributes');
  t.match(stdout, /could not be kept in \/nowhere\/stevedore-.*: no such file .*\(ENOENT\)/);
  const json = await run(['-o', 'json'], finding(300).restore);
  t.equal(json.status, 3);
  const document = JSON.parse(json.stdout) as Record<string, unknown>;
  t.match(document, {
    differenceCount: 300,
    reportFailed: { path: /^\/nowhere\//, message: 'no such file or directory (ENOENT)' },
  });
  t.notOk('report' in document);
});

t.test('a report whose disk is full ends no restore', async t => {
  const { status, stdout, stderr } = await run(['--report', '/dev/full'], finding(10).restore);
  t.equal(status, 3);
  t.equal(stderr, '');
  t.match(stdout, 'could not be kept in /dev/full: no space left on device (ENOSPC)');
  t.match(await run(['--report', '/dev/full'], finding(0).restore), { status: 0 });
});

t.test('a report stays outside of a target that has to be empty', async t => {
  const { runs, restore } = finding(0);
  for (const more of [[], ['--delta', '--delete-extra', '--yes-delete']]) {
    const ran = await run(['--report', '/no/where/report', ...more], restore);
    t.match(ran, { status: 2, stderr: /in the target \/no\/where; name a file outside/ });
  }
  t.same(runs, []);
  const beside = join(t.testdir({}), 'report');
  t.match(await run(['--report', beside], restore), { status: 0 });
});

t.test('what waits for a disk that hangs has a limit', async t => {
  const path = join(t.testdir({}), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  const report = new DifferenceReport(path, 0);
  await report.open(signal);
  const long = { ...difference, found: 'x'.repeat(1 << 20) };
  for (let i = 0; i < 65; i++) report.add(long);
  t.match(await report.finish(signal), { path, failure: /too slowly/ });
  fs.closeSync(reader);
});

t.test('whoever cancels waits for no report', async t => {
  const path = join(t.testdir({}), 'pipe');
  execFileSync('mkfifo', [path]);
  const aborting = new AbortController();
  const opening = new DifferenceReport(path, 0).open(aborting.signal);
  aborting.abort();
  await t.rejects(opening, { code: 'ABORTED' });
  // Lets the thread go that opens it.
  await (await fs.promises.open(path)).close();
});
