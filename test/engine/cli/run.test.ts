import { EventEmitter } from 'node:events';
import t from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import type { Engine } from '#engine/cli/verb.ts';
import { CollectingSink } from './collecting-sink.ts';
import { runWords, type RunOptions } from './surface.ts';

interface Options extends Partial<RunOptions> {
  readonly engine?: Record<string, unknown>;
}

const base = {
  openRepository: async () => ({ [Symbol.asyncDispose]: async () => {} }),
  listSnapshots: async () => [],
};

function run(words: string[], { engine, environment, ...options }: Options = {}) {
  return runWords(words, {
    ...options,
    environment: { STEVEDORE_REPO: 'file:///r', STEVEDORE_PASSWORD: 'p', ...environment },
    // A stub has only the functions that the verb under test calls.
    loadEngine: async () => ({ ...base, ...engine }) as unknown as Engine,
  });
}

const failing = (error: unknown) => ({
  openRepository: async () => {
    throw error;
  },
});

t.test('a failure is one JSON document and status 1', async t => {
  const error = new EngineError('REPOSITORY_NOT_FOUND', 'nothing there', { details: { a: 1 } });
  const { status, stdout, stderr } = await run(['snapshots', '-o', 'json'], {
    engine: failing(error),
  });
  t.equal(status, 1);
  t.equal(stderr, '');
  t.strictSame(JSON.parse(stdout), {
    error: { code: 'REPOSITORY_NOT_FOUND', message: 'nothing there', details: { a: 1 } },
  });
});

t.test('in text a failure goes to standard error alone', async t => {
  const { status, stdout, stderr } = await run(['snapshots'], { engine: failing(new Error('x')) });
  t.equal(status, 1);
  t.equal(stdout, '');
  t.match(stderr, /^stevedore: x\n.*report/s);
});

t.test('wrong usage is status 2 in either form, before anything is opened', async t => {
  const engine = failing(new Error('was opened'));
  for (const words of [['bakup'], ['backup', '/', '--threads', '0'], ['ls', 'a', '-o', 'xml']]) {
    const { status, stderr } = await run(words, { engine });
    t.equal(status, 2, words.join(' '));
    t.match(stderr, 'stevedore help');
  }
  for (const form of [['-o', 'json'], ['-ojson'], ['--output=json'], ['--output', 'json']]) {
    const { status, stdout } = await run(['backup', ...form], { engine });
    t.equal(status, 2);
    t.match(JSON.parse(stdout), { error: { code: 'USAGE' } });
  }
});

t.test('a missing repository or password is wrong usage and says how to name it', async t => {
  const noRepository = await run(['snapshots'], { environment: { STEVEDORE_REPO: '' } });
  t.match(noRepository, { status: 2, stderr: /--repo file/ });
  const noPassword = await run(['snapshots'], { environment: { STEVEDORE_PASSWORD: '' } });
  t.match(noPassword, { status: 2, stderr: /--password-file/ });
});

const outcome = {
  snapshotId: 'abc',
  rootObjectId: 'k',
  files: 1,
  directories: 1,
  bytes: 1,
  bytesUploaded: 1,
  contentsNew: 1,
  contentsReused: 0,
  durationMs: 1,
};

t.test('a backup that skipped something is done with status 3', async t => {
  const skipped = [{ path: 'a', code: 'SOURCE_UNREADABLE', message: 'no' }];
  const engine = { backup: async () => ({ ...outcome, skipped }) };
  const { status, stdout } = await run(['backup', '/', '-o', 'json'], { engine });
  t.equal(status, 3);
  t.strictSame(JSON.parse(stdout), { ...outcome, skipped });
  const clean = { backup: async () => ({ ...outcome, skipped: [] }) };
  t.match(await run(['backup', '/'], { engine: clean }), { status: 0, stdout: /Snapshot abc/ });
});

t.test('problems found by verify are listed and status 1', async t => {
  const verify = async () => ({
    snapshots: 1,
    directories: 1,
    files: 1,
    bytesRead: 1,
    problems: [{ path: 'a', code: 'PACK_MISSING', message: 'gone' }],
  });
  const { status, stdout } = await run(['verify'], { engine: { verify } });
  t.equal(status, 1);
  t.match(stdout, 'a: gone (PACK_MISSING)');
});

t.test('a reader that goes away is no failure', async t => {
  const readFile = async function* () {
    for (let i = 0; i < 100; i++) yield new Uint8Array([65]);
  };
  const sink = new CollectingSink(3);
  t.match(await run(['cat', 'a:/b'], { engine: { readFile }, sink }), {
    status: 0,
    stdout: 'AAA',
    stderr: '',
  });
});

t.test('standard output that cannot be written is named, and no fault of ours', async t => {
  const readFile = async function* () {
    for (let i = 0; i < 100; i++) yield new Uint8Array([65]);
  };
  const sink = () => new CollectingSink(0, 'ENOSPC');
  const read = await run(['cat', 'a:/b'], { engine: { readFile }, sink: sink() });
  t.match(read, { status: 1, stdout: '' });
  t.match(read.stderr, /^stevedore: the result could not be written to standard output: no space/);
  t.match(read.stderr, /\(ENOSPC\)\n.*try: .*\n.*OUTPUT_NOT_WRITABLE/);
  for (const words of [['--help'], ['--version'], ['snapshots', '--help']]) {
    const asked = await run(words, { sink: sink() });
    t.match(asked, { status: 1, stderr: /OUTPUT_NOT_WRITABLE/ });
  }
});

t.test('what was done is said to be where only its result is lost', async t => {
  const engine = { backup: async () => ({ ...outcome, skipped: [] }) };
  for (const form of ['text', 'json']) {
    const sink = new CollectingSink(0, 'ENOSPC');
    const { status, stderr } = await run(['backup', '/', '-o', form], { engine, sink });
    t.equal(status, 1);
    t.match(
      stderr,
      /^stevedore: the work was done, but its result could not be written to standard/,
    );
  }
});

t.test('a failure whose document cannot be written is told on standard error', async t => {
  const sink = new CollectingSink(0, 'ENOSPC');
  const engine = failing(new EngineError('REPOSITORY_NOT_FOUND', 'nothing there'));
  const { status, stderr } = await run(['snapshots', '-o', 'json'], { engine, sink });
  t.equal(status, 1);
  t.match(stderr, /nothing there\n[^]*REPOSITORY_NOT_FOUND[^]*no space[^]*OUTPUT_NOT_WRITABLE/);
  const usage = await run(['bakup', '-o', 'json'], { sink: new CollectingSink(0, 'ENOSPC') });
  t.match(usage, { status: 2, stderr: /unknown command/ });
});

t.test('a signal aborts what runs, and the run has failed', async t => {
  const signals = new EventEmitter();
  const verify = async (_: unknown, __: unknown, { signal }: { signal: AbortSignal }) => {
    signals.emit('SIGINT', 'SIGINT');
    signal.throwIfAborted();
  };
  const { status, stdout } = await run(['verify', '-o', 'json'], { engine: { verify }, signals });
  t.equal(status, 1);
  t.match(JSON.parse(stdout), { error: { code: 'ABORTED', message: /SIGINT/ } });
  t.equal(signals.listenerCount('SIGINT'), 0);
});

t.test('the repository is closed whether the verb ends or fails', async t => {
  let closed = 0;
  const openRepository = async () => ({ [Symbol.asyncDispose]: async () => void closed++ });
  const listSnapshots = async () => [];
  await run(['snapshots'], { engine: { openRepository, listSnapshots } });
  t.equal(closed, 1);
  await run(['snapshots'], { engine: { openRepository } });
  t.equal(closed, 2);
});

t.test('priorities are set before anything is opened', async t => {
  const priorities: unknown[] = [];
  const words = ['snapshots', '--nice', '10', '--ionice', 'best-effort:7'];
  await run(words, { priorities, engine: failing(new Error('x')) });
  t.strictSame(priorities, [10, { ioClass: 'best-effort', level: 7 }]);
});

t.test('pressure is heeded unless the command is told not to', async t => {
  const heeded: unknown[] = [];
  const engine = {
    openRepository: async (request: { isPressureHeeded: boolean; memoryBytes?: number }) => {
      heeded.push([request.isPressureHeeded, request.memoryBytes]);
      throw new Error('enough');
    },
  };
  await run(['snapshots'], { engine });
  await run(['snapshots', '--no-pressure-backoff', '--memory', '256MiB'], { engine });
  t.strictSame(heeded, [
    [true, undefined],
    [false, 2 ** 28],
  ]);
});
