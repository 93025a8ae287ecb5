// The pages' commands that need no cluster, as they stand there, one page after the other: in a
// root directory of its own, so that /srv/www is what a page says and nobody's.

import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { findServer, type RunningServer, startServer } from '#test/servers/start.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';
import type { PageBlock } from './page-blocks.ts';
import { blockScript, PREPARED, replacePlaceholders } from './page-scene.ts';
import { blocksThatRun } from './where-blocks-run.ts';

const PAGE_MS_MAX = 300_000;
const SAID_CHARACTERS_MAX = 2000;
const ROOT_SCRIPT = fileURLToPath(new URL('page-root.sh', import.meta.url));
const NAMESPACE = ['--mount', '--pid', '--fork', '--kill-child'];
const { status, stderr } = spawnSync('unshare', [...NAMESPACE, 'true'], { encoding: 'utf8' });
const { program, reason } = findServer('versitygw');
const missing = program === undefined ? reason : `no mount namespaces here: ${stderr}`;
const skip = (status !== 0 || program === undefined) && missing;

const blocks = blocksThatRun('alone');
for (const page of new Set(blocks.map(({ page }) => page))) {
  t.test(`what ${page} says to enter works`, { skip, timeout: PAGE_MS_MAX }, async t => {
    await using scratch = await ScratchDirectory.make();
    const s3 = await startServer('versitygw', { buckets: ['bucket'] });
    t.teardown(() => s3.stop());
    const ofPage = blocks.filter(block => block.page === page);
    await runPage(scratch, { page, blocks: ofPage, s3 });
    for (const { line, section } of ofPage) {
      const out = join(scratch.path, 'blocks', nameOf(line));
      const code = readFileSync(`${out}.status`, 'utf8').trim();
      t.equal(code, '0', `${page}:${line} (${section})`);
      if (code !== '0') t.comment(readFileSync(`${out}.out`, 'utf8').slice(-SAID_CHARACTERS_MAX));
    }
  });
}

interface PageRun {
  readonly page: string;
  readonly blocks: readonly PageBlock[];
  readonly s3: RunningServer;
}

async function runPage(scratch: ScratchDirectory, { page, blocks, s3 }: PageRun): Promise<void> {
  const place = scratch.join('blocks');
  await mkdir(place);
  const prepared = { page, line: 0, section: '', language: 'sh', text: PREPARED[page] ?? '' };
  for (const block of [prepared, ...blocks]) {
    const text = replacePlaceholders(block.text, s3);
    writeFileSync(join(place, `${nameOf(block.line)}.sh`), blockScript({ ...block, text }));
  }
  await mkdir(scratch.join('bin'));
  const command = scratch.join('bin', 'stevedore');
  const words = [process.execPath, join(REPOSITORY_ROOT, 'agent/stevedore.js')];
  writeFileSync(command, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
  await chmod(command, 0o755);
  const PATH = `/tmp/scratch/bin:${dirname(process.execPath)}:${process.env.PATH ?? ''}`;
  const env = { ...process.env, PATH, SCRATCH: scratch.path, START: REPOSITORY_ROOT };
  const limits = { timeout: PAGE_MS_MAX, env };
  await promisify(execFile)('unshare', [...NAMESPACE, 'sh', ROOT_SCRIPT], limits);
}

/** Sorted as the lines are. */
function nameOf(line: number): string {
  return String(line).padStart(6, '0');
}
