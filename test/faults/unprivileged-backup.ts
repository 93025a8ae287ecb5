// A program for tests: backs up a directory as somebody who may not read all of it, once for each
// case, and prints the outcomes or errors. Root reads everything, so root becomes somebody else.
//
// Arguments: the directory; JSON of a list of cases.

import {
  backup,
  createRepository,
  isEngineError,
  listSnapshots,
  openRepository,
  type Repository,
} from '#engine/index.ts';
import { policyLabels } from '#engine/format/policy.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import { OWNER, PASSWORD } from './small-repository.ts';

export interface UnprivilegedCase {
  /** Fields of the request. */
  readonly request?: object;
  /** Policies by path from the source: '' or `/a`. */
  readonly policies?: Readonly<Record<string, object>>;
}

const NOBODY = 65_534;
const [path = '', cases = '[{}]'] = process.argv.slice(2);

// Imported before, since nobody may not read the program either.
await import('#engine/snapshot/restore/restore.ts');
const storage = new MemoryStorage();
await createRepository({ storage, password: PASSWORD, owner: OWNER });
await using repository = await openRepository({ storage, password: PASSWORD, threads: 1 });
await backup(repository, { path: import.meta.filename, source: { ...OWNER, path: '/' } });
const isRoot = process.getuid?.() === 0;
if (isRoot) {
  process.setgroups?.([]);
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
}
const outcomes: object[] = [];
// What the test has written.
for (const [index, each] of (JSON.parse(cases) as UnprivilegedCase[]).entries()) {
  outcomes.push(await runCase(repository, `/case-${index}`, each));
}
console.log(JSON.stringify(outcomes));
// A test runner may have something to write at the end.
if (isRoot) process.seteuid?.(0);

async function runCase(
  { manifests }: Repository,
  sourcePath: string,
  { request = {}, policies = {} }: UnprivilegedCase,
): Promise<object> {
  for (const [below, policy] of Object.entries(policies)) {
    const at = { host: OWNER.host, userName: OWNER.user, path: `${sourcePath}${below}` };
    manifests.put(policyLabels(at), JSON.stringify(policy));
  }
  const source = { ...OWNER, path: sourcePath };
  try {
    return await backup(repository, { path, source, ...request });
  } catch (error) {
    if (!isEngineError(error)) throw error;
    const { code, message, details } = error;
    const filter = { source, includeIncomplete: true };
    const snapshots = await listSnapshots(repository, filter);
    return { code, message, details, snapshotCount: snapshots.length };
  }
}
