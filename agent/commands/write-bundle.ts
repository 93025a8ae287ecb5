// Where the bundle of `stevedore diagnose` goes: a directory, or an archive, that is new and that
// nobody else may read. What was begun and cannot be completed is removed.

import { spawn } from 'node:child_process';
import { type FileHandle, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { EngineError, messageOf, systemCodeOf } from '#engine/base/errors.ts';

const ARCHIVE = /\.(tar\.gz|tgz)$/;

/** Puts a file into the bundle; its name may have directories. */
export type WriteFile = (name: string, text: string) => Promise<void>;

/**
 * @param target ends in `.tar.gz` for an archive
 * @throws USAGE where something is there already, or it cannot be made
 */
export async function writeBundle(
  target: string,
  fill: (write: WriteFile) => Promise<void>,
): Promise<void> {
  const made: string[] = [];
  try {
    if (ARCHIVE.test(target)) {
      // The name is taken at once, so that nothing is collected in vain.
      await using archive = await newFile(target);
      made.push(target);
      const beside = await mkdtemp(join(dirname(target), '.stevedore-diagnose-'));
      made.push(beside);
      const directory = join(beside, basename(target).replace(ARCHIVE, ''));
      await newDirectory(directory);
      await fill(writerInto(directory));
      await pack(directory, archive);
      await rm(beside, { recursive: true });
    } else {
      await newDirectory(target);
      made.push(target);
      await fill(writerInto(target));
    }
  } catch (error) {
    for (const path of made) await rm(path, { recursive: true, force: true });
    throw error;
  }
}

function writerInto(directory: string): WriteFile {
  return async (name, text) => {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  };
}

function newFile(path: string): Promise<FileHandle> {
  return madeNew(path, () => open(path, 'wx', 0o600));
}

async function newDirectory(path: string): Promise<void> {
  await madeNew(path, () => mkdir(path, { mode: 0o700 }));
}

async function madeNew<Made>(path: string, make: () => Promise<Made>): Promise<Made> {
  try {
    return await make();
  } catch (error) {
    const why = systemCodeOf(error) === 'EEXIST' ? 'it is there already' : messageOf(error);
    throw new EngineError('USAGE', `cannot make ${path}: ${why}; give another name by --to`);
  }
}

/** By the system's own program, which is wherever kubectl is. */
async function pack(directory: string, archive: FileHandle): Promise<void> {
  const words = ['-czf', '-', '-C', dirname(directory), '--', basename(directory)];
  const tar = spawn('tar', words, { stdio: ['ignore', archive.fd, 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    tar.once('error', reject);
    tar.once('close', resolve);
  });
  const why = await Promise.all([ended, tar.stderr ? textOf(tar.stderr) : '']).then(
    ([status, said]) => (status === 0 ? undefined : said.trim() || `status ${status}`),
    messageOf,
  );
  if (why === undefined) return;
  const text = `cannot pack the archive with tar: ${why}; give a name without .tar.gz by --to`;
  throw new EngineError('USAGE', text);
}
