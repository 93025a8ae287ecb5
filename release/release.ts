// `npm run release -- VERSION [--dry-run]`: gathers the changelog and sets the version everywhere.
// Commits nothing: what it did is looked at first.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commitTime } from './commit-time.ts';
import { foldChangelog } from './fold-changelog.ts';
import { VERSION_PLACES, withVersion } from './version-places.ts';

const UNRELEASED = 'changelog/unreleased';

interface ReleasePlan {
  /** By path. */
  readonly writes: ReadonlyMap<string, string>;
  readonly removals: readonly string[];
}

/** @throws Error with what stands against it */
function planRelease(root: string, version: string): ReleasePlan {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const writes = new Map(
    VERSION_PLACES.map(place => [place.path, withVersion(place, read(place.path), version)]),
  );
  const page = `changelog/${version}.md`;
  if (existsSync(join(root, page))) throw new Error(`${page} is there already`);
  const names = readdirSync(join(root, UNRELEASED)).filter(name => name.endsWith('.md'));
  if (names.length === 0) throw new Error(`${UNRELEASED} is empty, so nothing is to be released`);
  const removals = names.map(name => `${UNRELEASED}/${name}`);
  const entries = names.map(name => ({ name, text: read(`${UNRELEASED}/${name}`) }));
  const date = new Date(commitTime(root) * 1000).toISOString().slice(0, 10);
  writes.set(page, foldChangelog(entries, { version, date }));
  const changed = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
  if (changed !== '') throw new Error(`commit or take back first what has changed:\n${changed}`);
  return { writes, removals };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'dry-run': { type: 'boolean', default: false } },
});
const [version] = positionals;
if (version === undefined || positionals.length > 1) {
  console.error('usage: npm run release -- VERSION [--dry-run]');
  process.exit(2);
}
try {
  const root = process.cwd();
  const { writes, removals } = planRelease(root, version);
  const isDry = values['dry-run'];
  for (const [path, text] of writes) {
    console.log(`${isDry ? 'would write' : 'writes'} ${path}`);
    if (!isDry) writeFileSync(join(root, path), text);
  }
  console.log(`${isDry ? 'would remove' : 'removes'} ${removals.length} files of ${UNRELEASED}`);
  if (!isDry) for (const path of removals) rmSync(join(root, path));
  if (isDry) console.log(`\n${writes.get(`changelog/${version}.md`)}`);
} catch (error) {
  console.error(`release: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
