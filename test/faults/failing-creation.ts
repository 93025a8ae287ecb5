// Lets one operation of the creation of a repository fail: whatever is left, the next attempt
// works.

import type { Test } from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import { createRepository, listSnapshots, openRepository } from '#engine/index.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import { codeOf, endOf } from './failing-backups.ts';
import { OWNER, PASSWORD } from './small-repository.ts';
import { FailingOnce, type Trouble, watched } from './troubled-storage.ts';

const request = { password: PASSWORD, owner: OWNER };
const error = () => new EngineError('STORAGE_FULL', 'the storage is full; make room');

/** False when there is no such operation. */
export async function failCreation(t: Test, place: Omit<Trouble, 'error'>): Promise<boolean> {
  const storage = new MemoryStorage();
  const trouble = new FailingOnce({ ...place, error });
  trouble.arm();
  const ended = await endOf(createRepository({ storage: watched(storage, trouble), ...request }));
  if (trouble.failed === undefined) return false;
  const { kind, id } = trouble.failed;
  // What cannot be removed is left behind: it was written, and others do without its going.
  const expected = kind === 'delete' ? 'none' : 'STORAGE_FULL';
  t.equal(codeOf(ended), expected, `${kind} ${id.slice(0, 17)} ${place.when} it happened`);
  const again = await endOf(createRepository({ storage, ...request }));
  if (again instanceof Error) t.match(again, { code: 'REPOSITORY_EXISTS' });
  await using repository = await openRepository({ storage, password: PASSWORD, threads: 1 });
  t.strictSame(await listSnapshots(repository), [], 'it can be used');
  return true;
}
