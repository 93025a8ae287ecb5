// Chooses how a target is written: by system calls where they work on this machine, else by
// node:fs.

import { constants } from 'node:fs';
import { basename } from 'node:path';

import { allocateArena } from '#engine/base/arena.ts';
import { EngineError } from '#engine/base/errors.ts';

import { openNativeCalls } from './native-calls.ts';
import { openPortableCalls } from './portable-calls.ts';
import { OPEN_DIRECTORY, OPEN_NODE, type TargetCalls } from './target-calls.ts';
import { TargetFileSystem } from './target-file-system.ts';
import { TargetStat } from './target-stat.ts';

export interface OpenTargetOptions {
  /** false asks for node:fs; true and absent for system calls where they can be had. */
  readonly native?: boolean;
}

const SAMPLE_BYTES = 128;

/** What the self-test found, once for each thread. */
let isNativeSound: boolean | undefined;

/**
 * A target file system for this thread.
 * @throws TARGET_NOT_WRITABLE where there is no safe way to write: without /proc and native calls
 */
export function openTargetFileSystem(options: OpenTargetOptions = {}): TargetFileSystem {
  const portable = openPortableCalls();
  const native = options.native === false ? undefined : openNativeCalls();
  const isSound = native && (portable === undefined || (isNativeSound ??= sees(native, portable)));
  const calls = native && isSound ? native : portable;
  if (calls) return new TargetFileSystem(calls);
  throw new EngineError(
    'TARGET_NOT_WRITABLE',
    'restoring needs Linux with /proc, or native calls: a path alone may be led elsewhere',
  );
}

/**
 * Whether two implementations say the same of the folder that holds this program and of a link in
 * /proc: a layout of structs that is not what we think shows here and not in a restored tree. What
 * only writing can show is read back for every entry.
 */
export function sees(a: TargetCalls, b: TargetCalls): boolean {
  const text = describe(a);
  return text !== undefined && text === describe(b);
}

function describe(calls: TargetCalls): string | undefined {
  const folder = calls.openPath(Buffer.from(import.meta.dirname), OPEN_DIRECTORY);
  const proc = calls.openPath(Buffer.from('/proc/self'), constants.O_RDONLY);
  const program = Buffer.from(basename(import.meta.filename));
  const file = calls.openAt(folder, program, constants.O_RDONLY, 0);
  const link = calls.openAt(proc, Buffer.from('exe'), OPEN_NODE, 0);
  const open = [folder, proc, file, link];
  try {
    if (open.some(descriptor => descriptor < 0)) return undefined;
    const sample = allocateArena(SAMPLE_BYTES);
    const range = { offset: 1, length: SAMPLE_BYTES - 1, position: 3 };
    const length = calls.read(file, sample, range);
    const target = calls.readLinkAt(proc, Buffer.from('exe'));
    return JSON.stringify([
      ...open.map(descriptor => describeOpen(calls, descriptor)),
      length,
      Buffer.from(sample.bytes).toString('hex'),
      typeof target === 'number' ? target : Buffer.from(target).toString('hex'),
    ]);
  } finally {
    for (const descriptor of open) if (descriptor >= 0) calls.close(descriptor);
  }
}

/** All but what node:fs does not tell and what changes while one looks. */
function describeOpen(calls: TargetCalls, descriptor: number): unknown {
  const stat = new TargetStat();
  if (calls.statOpen(descriptor, stat) < 0) return undefined;
  const isOfProgram = stat.isFile;
  return { ...stat, attributes: 0, mtimeNanoseconds: isOfProgram ? stat.mtimeNanoseconds : 0 };
}
