// Runs the test files of some folders in this process, one file after the other. A process for each
// of them would cost 0.3 s of CPU before its first assertion, and load the engine again. Each file
// still runs by itself: `node test/node24.js FILE`.

import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

type Teardown = () => unknown;
type Body = (t: Test) => unknown;
interface TestOptions {
  readonly timeout?: number;
}

/** What is named so does not run with others: it takes seconds, or a process of its own. */
const NOT_TOGETHER = /\.(slow|apart)\.test\.ts$/;
/** A test that hangs is red by itself, and the next one runs. */
const TEST_TIMEOUT_MS = 60_000;

/**
 * @param folders below test/, without the folders in them
 */
export async function runTogether(...folders: readonly string[]): Promise<void> {
  for (const path of folders.flatMap(testFilesIn)) {
    const teardowns = standInFor(path);
    try {
      await import(pathToFileURL(join(REPOSITORY_ROOT, path)).href);
    } catch (error) {
      // The other files run nevertheless.
      t.error(error, `${path} runs to its end`);
    }
    if (!t.idle) await once(t, 'idle');
    t.jobs = 1;
    for (const teardown of teardowns.reverse()) await teardown();
  }
}

/** Paths from the repository's root, in the order in which they run. */
function testFilesIn(folder: string): string[] {
  const names = readdirSync(join(REPOSITORY_ROOT, 'test', folder)).sort();
  const tests = names.filter(name => name.endsWith('.test.ts') && !NOT_TOGETHER.test(name));
  return tests.map(name => join('test', folder, name));
}

const runTest = t.test.bind(t);

/**
 * Titles name the file. What a file leaves to the end of its process is for the end of the file;
 * tap itself would also take a pause between two files for the end of all tests.
 *
 * @returns what to do in the end, filled while the file runs
 */
function standInFor(path: string): Teardown[] {
  const teardowns: Teardown[] = [];
  const test = (title: string, ...rest: readonly [Body] | readonly [TestOptions, Body]) => {
    const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
    return runTest(`${path}: ${title}`, { timeout: TEST_TIMEOUT_MS, ...options }, body);
  };
  Object.assign(t, { test, teardown: (teardown: Teardown) => void teardowns.push(teardown) });
  return teardowns;
}
