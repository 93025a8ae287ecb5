// Chooses how the source is read: by system calls where they work on this machine, else by node:fs.

import { allocateArena } from '#engine/base/arena.ts';
import { isEngineError } from '#engine/base/errors.ts';

import { openNativeFileSystem } from './native-file-system.ts';
import { openPortableFileSystem } from './portable-file-system.ts';
import type { SourceFileSystem } from './source-file-system.ts';
import { SourceListing } from './source-listing.ts';
import { ENTRY_TYPE, SourceStat } from './source-stat.ts';

export interface OpenSourceOptions {
  /** false asks for node:fs; true and absent for system calls where they can be had. */
  readonly native?: boolean;
}

const SAMPLE_BYTES = 64;

/** What the self-test found, once for each thread. */
let isNativeSound: boolean | undefined;

/** A source file system for this thread. */
export function openSourceFileSystem(options: OpenSourceOptions = {}): SourceFileSystem {
  const portable = openPortableFileSystem();
  const native = options.native === false ? undefined : openNativeFileSystem();
  if (native === undefined) return portable;
  isNativeSound ??= seesTheSame(native, portable);
  return isNativeSound ? native : portable;
}

/**
 * Whether two file systems say the same of the folder that holds this program and of a link in
 * /proc: a layout of structs that is not what we think shows here and not in a snapshot.
 */
export function seesTheSame(a: SourceFileSystem, b: SourceFileSystem): boolean {
  try {
    return describeFolder(a) === describeFolder(b) && describeLink(a) === describeLink(b);
  } catch (error) {
    // Where not even node:fs can look, there is nothing to compare and no reason to be fast.
    if (isEngineError(error)) return false;
    throw error;
  }
}

function describeFolder(fileSystem: SourceFileSystem): string {
  const names = new SourceListing();
  const stat = new SourceStat();
  const sample = allocateArena(SAMPLE_BYTES);
  let text = '';
  using folder = fileSystem.openRoot(import.meta.dirname, { followsLinks: true });
  fileSystem.list(folder, names);
  for (const index of names.order) {
    fileSystem.statAt(folder, names, index, stat);
    text += names.textAt(index) + names.typeAt(index) + JSON.stringify(stat);
    if (stat.type !== ENTRY_TYPE.file) continue;
    using file = fileSystem.openFile(folder, names, index);
    fileSystem.statOpen(file, stat);
    sample.bytes.fill(0);
    fileSystem.read(file, sample, { targetOffset: 0, length: SAMPLE_BYTES / 2 });
    const range = { targetOffset: SAMPLE_BYTES / 2, length: SAMPLE_BYTES / 2, position: 3 };
    fileSystem.read(file, sample, range);
    text += JSON.stringify(stat) + Buffer.from(sample.bytes).toString('hex');
  }
  return text;
}

function describeLink(fileSystem: SourceFileSystem): string {
  const names = new SourceListing();
  const index = names.add(new TextEncoder().encode('exe'), ENTRY_TYPE.symlink);
  using folder = fileSystem.openRoot('/proc/self', { followsLinks: true });
  return Buffer.from(fileSystem.readLink(folder, names, index)).toString('hex');
}
