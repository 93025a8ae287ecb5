// Lets each operation that a backup asks of its storage fail once, and looks at what is left.

import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError } from '#engine/base/errors.ts';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import type { Storage } from '#engine/storage/storage.ts';
import {
  backupTree,
  copyOf,
  faultsOf,
  openSmall,
  snapshotIds,
  type SmallRepository,
} from './small-repository.ts';
import { FailingOnce, type Trouble, watched } from './troubled-storage.ts';

export type Way = Omit<Trouble, 'at'> & { readonly code: ErrorCode };

function named(code: ErrorCode, when: Trouble['when']): Way {
  const error = () => new EngineError(code, 'the storage is in trouble; wait until it is not');
  return { code, when, error };
}

function hard(when: Trouble['when']): Way {
  return { code: 'INTERNAL', when, error: () => new TypeError('undefined is not a storage') };
}

/** The ways in which an operation may fail. */
export const WAYS: readonly Way[] = Object.freeze(
  (['before', 'after'] as const).flatMap(when => [
    named('STORAGE_FULL', when),
    named('STORAGE_UNAVAILABLE', when),
    named('ABORTED', when),
    hard(when),
  ]),
);

/** A copy of a sound repository, for one backup that fails. */
export interface Stage {
  readonly storage: Storage;
  /** What the process that comes next opens. */
  readonly reopen: () => Promise<Storage>;
  /** Names of files that no blob is, if the storage has files. */
  readonly temporaryFiles: () => string[];
  readonly dispose: () => void;
}

/** Packs go through buffers. */
export async function inMemory({ storage }: SmallRepository): Promise<Stage> {
  const copy = await copyOf(storage);
  const reopen = async () => copy;
  return { storage: copy, reopen, temporaryFiles: () => [], dispose: () => undefined };
}

/** Packs go through files; `template` is the directory of the repository. */
export function inFiles(template: string): () => Promise<Stage> {
  return async () => {
    const directory = mkdtempSync(`${template}-`);
    cpSync(template, directory, { recursive: true });
    return {
      storage: await openFilesystem(directory),
      reopen: () => openFilesystem(directory),
      temporaryFiles: () => temporaryFilesIn(directory),
      dispose: () => rmSync(directory, { recursive: true }),
    };
  };
}

export function temporaryFilesIn(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return names.filter(name => name.includes('.tmp.')).map(name => join(directory, name));
}

/** Backs up with the Nth operation failing in `way`; false when there is no Nth operation. */
export async function failNth(
  t: Test,
  small: SmallRepository,
  { storage, reopen, temporaryFiles }: Stage,
  { at, way }: { readonly at: number; readonly way: Way },
): Promise<boolean> {
  const { format, snapshotId, changed } = small;
  const trouble = new FailingOnce({ at, ...way });
  let name: string;
  const published = [snapshotId];
  {
    await using repository = await openSmall(watched(storage, trouble), format);
    trouble.arm();
    const outcome = await endOf(backupTree(repository, changed));
    const { failed } = trouble;
    if (failed === undefined) return false;
    name = `${failed.kind} ${failed.id.slice(0, 1)}… (${at}) ${way.when} it happened`;
    // A blob that cannot be removed does no harm.
    const isTolerated = failed.kind === 'delete' && way.code.startsWith('STORAGE_');
    const expected = isTolerated ? 'none' : way.code;
    t.equal(codeOf(outcome), expected, `${name}: ${expected}`);
    if (!trouble.isIndexStored) {
      t.strictSame(await snapshotIds(repository), [snapshotId], `${name}: not listed here`);
    }
    const again = await endOf(backupTree(repository, changed));
    if (again instanceof Error) t.equal(codeOf(again), way.code, `${name}: again, the same`);
    else published.push(again.snapshotId);
  }
  const reopened = await reopen();
  if (reopened !== storage) await storage.close();
  t.strictSame(temporaryFiles(), [], `${name}: no file left`);
  await using repository = await openSmall(reopened, format);
  const listed = await snapshotIds(repository);
  if (!trouble.isIndexStored) t.strictSame(listed, published, `${name}: nothing published`);
  t.strictSame(await faultsOf(repository), [], `${name}: what was there is whole`);
  const { snapshotId: next } = await backupTree(repository, changed);
  t.strictSame(await snapshotIds(repository), [...listed, next], `${name}: the next one works`);
  t.strictSame(await faultsOf(repository), [], `${name}: all is whole`);
  return true;
}

/** What a promise resolves to or rejects with. */
export async function endOf<Result>(promise: Promise<Result>): Promise<Result | Error> {
  return promise.catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  );
}

/** The code that the command would show. */
export function codeOf(outcome: unknown): string {
  if (outcome instanceof EngineError) return outcome.code;
  return outcome instanceof Error ? 'INTERNAL' : 'none';
}
