// A budget of 256 MiB is kept by the real command: its peak is read from the kernel.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { findServer, startServer } from '#test/servers/start.ts';

const PROGRAM = fileURLToPath(new URL('../../../agent/stevedore.js', import.meta.url));
const MIB = 2 ** 20;
const place = t.testdir({ repository: {}, many: {}, large: {}, target: {} });

/** Runs the command; the most memory that it was seen to have had. */
async function peakOf(
  t: Test,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = { STEVEDORE_REPO: `file://${place}/repository` },
): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, ...words, '--memory', '256MiB', '--quiet'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, STEVEDORE_PASSWORD: 'secret', ...environment },
  });
  const ended = once(child, 'exit');
  let peakKib = 0;
  while (child.exitCode === null && child.signalCode === null) {
    peakKib = Math.max(peakKib, peakKibOf(child.pid));
    await Promise.race([ended, setTimeout(5)]);
  }
  t.equal(child.exitCode, 0, words.join(' '));
  return peakKib * 1024;
}

/** 0 when the process has ended. */
function peakKibOf(pid: number | undefined): number {
  try {
    return Number(
      /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0,
    );
  } catch {
    return 0;
  }
}

const onLinux = { skip: process.platform === 'linux' ? false : 'peaks are read from /proc' };

async function peaksOf(
  t: Test,
  commands: readonly (readonly string[])[],
  environment?: NodeJS.ProcessEnv,
  mibMax = 256,
): Promise<void> {
  for (const words of commands) {
    const peak = await peakOf(t, words, environment);
    t.comment(`${words[0]}: ${Math.round(peak / MIB)} MiB`);
    t.ok(peak > 40 * MIB && peak < mibMax * MIB, `${words.join(' ')} took ${peak} bytes`);
  }
}

t.test('many files and a large one are backed up and read within 256 MiB', onLinux, async t => {
  for (let directory = 0; directory < 10; directory++) {
    mkdirSync(join(place, 'many', String(directory)));
    for (let file = 0; file < 150; file++) {
      writeFileSync(join(place, 'many', String(directory), String(file)), randomBytes(3000));
    }
  }
  writeFileSync(join(place, 'large/file'), randomBytes(40 * MIB));
  await peakOf(t, ['repo', 'create']);
  await peaksOf(t, [
    ['backup', join(place, 'many')],
    ['backup', join(place, 'large')],
    ['backup', join(place, 'large'), '--compression', 'zstd:3'],
    ['verify'],
  ]);
});

const { program, reason } = findServer('versitygw');
const withServer = program === undefined ? { skip: reason } : onLinux;

t.test('a large file goes to S3 and comes back within 256 MiB', withServer, async t => {
  const server = await startServer('versitygw');
  t.teardown(() => server.stop());
  const { accessKeyId, secretAccessKey } = server.credentials;
  const environment = {
    STEVEDORE_REPO: `s3://bucket/large?endpoint=${encodeURIComponent(server.url)}&region=us-east-1`,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  const source = join(place, 'larger');
  mkdirSync(source);
  for (let part = 0; part < 10; part++) {
    writeFileSync(join(source, 'file'), randomBytes(40 * MIB), { flag: 'a' });
  }
  await peakOf(t, ['repo', 'create'], environment);
  const restore = ['restore', 'latest', join(place, 'target')];
  await peaksOf(t, [['backup', source]], environment);
  // What was fetched and written is given back at once: 110 MiB, 245 where that waits for V8.
  await peaksOf(t, [restore, ['verify']], environment, 192);
});
