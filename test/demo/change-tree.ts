// Does to a directory what a day does: files are edited, added, removed, moved, and a large one
// gets something put in front, so that everything behind it is somewhere else than before.

import type { Dirent } from 'node:fs';
import {
  appendFile,
  chmod,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { SeededRandom } from '#test/support/random.ts';
import { prose } from './prose.ts';

const FRONT_BYTES_MAX = 256 * 2 ** 20;
const EDITS = 5;
/** What Node shows of a name that is not UTF-8; by that text it cannot be opened. */
const UNDECODABLE = '\ufffd';

/** What was done, a sentence part each. */
export async function changeTree(directory: string, random: SeededRandom): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter(entry => entry.isFile())
    .map(pathOf)
    .filter(path => !path.includes(UNDECODABLE))
    .sort();
  const done: string[] = [];

  const largest = await largestOf(files);
  const small = files.filter(file => file !== largest);
  if (largest !== undefined) {
    await writeFile(largest, Buffer.concat([random.bytes(100), await readFile(largest)]));
    done.push('100 bytes put in front of the largest file');
  }
  let edited = 0;
  for (let index = 0; index < EDITS; index++) {
    const file = pickOrNone(random, small);
    if (file === undefined) continue;
    await appendFile(file, prose(random, 200));
    edited++;
  }
  if (edited > 0) done.push(`${edited} edited`);
  const removed = pickOrNone(random, small);
  if (removed !== undefined) {
    await rm(removed);
    done.push('1 removed');
  }
  const executable = pickOrNone(
    random,
    small.filter(file => file !== removed),
  );
  if (executable !== undefined) {
    await chmod(executable, 0o711);
    done.push('1 with another mode');
  }
  const moved = entries
    .filter(entry => entry.isDirectory())
    .map(pathOf)
    .sort()[0];
  if (moved !== undefined) {
    await rename(moved, `${moved} (moved)`);
    done.push('1 directory moved');
  }
  await mkdir(join(directory, 'new'), { recursive: true });
  await writeFile(join(directory, 'new', 'note'), prose(random, 3000));
  done.push('1 added');
  return done;
}

function pickOrNone(random: SeededRandom, files: readonly string[]): string | undefined {
  return files.length === 0 ? undefined : random.pick(files);
}

function pathOf(entry: Dirent): string {
  return join(entry.parentPath, entry.name);
}

/** The largest file that fits into memory comfortably. */
async function largestOf(files: readonly string[]): Promise<string | undefined> {
  let largest: { file: string; bytes: number } | undefined;
  for (const file of files) {
    const { size } = await stat(file);
    if (size <= FRONT_BYTES_MAX && size > (largest?.bytes ?? 0)) largest = { file, bytes: size };
  }
  if (largest === undefined) return undefined;
  // Not every file may be written, even by its owner.
  try {
    await using handle = await open(largest.file, 'r+');
    await handle.stat();
    return largest.file;
  } catch {
    return undefined;
  }
}
