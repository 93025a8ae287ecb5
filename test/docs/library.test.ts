import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { join } from 'node:path';
import t from 'tap';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

t.test('the example in docs/library.md does what it says', async t => {
  const page = readFileSync(join(PROJECT, 'docs/library.md'), 'utf8');
  const example = /```ts run\n([\s\S]*?)```/.exec(page)?.[1];
  if (example === undefined) throw new Error('docs/library.md has no example to run');
  const scratch = t.testdir({ source: { 'a.txt': 'hello', deep: { 'b.txt': 'world' } } });
  // The example imports the package by its name, so it has to lie within the package.
  const folder = join(PROJECT, 'out', `library-example-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  t.teardown(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'example.ts');
  writeFileSync(program, example);
  const url = pathToFileURL(join(scratch, 'repository')).href;
  const words = [program, url, join(scratch, 'source'), join(scratch, 'target')];
  const lines = execFileSync(process.execPath, words, { encoding: 'utf8' }).trim().split('\n');
  t.match(lines[0], /^[0-9a-f]{32} 2 0$/, 'a snapshot of two files, nothing skipped');
  t.match(lines[1], /^[0-9a-f]{32} \d{4}-\d\d-\d\dT\S+ 10$/, 'listed with its size');
  t.equal(lines[2], '2 0', 'restored without differences');
  t.equal(lines[3], 'SNAPSHOT_NOT_FOUND');
  t.equal(readFileSync(join(scratch, 'target/deep/b.txt'), 'utf8'), 'world');
});
