// Opens what a link points to, for ignore files that are links: kopia follows those.
//
// kopia follows them anywhere. The tree may belong to somebody else than the process that reads it,
// so here a link must stay below the root of the source: its text is resolved against the names
// that led to the directory, and the result is opened from the root, component by component.

import { EngineError, isEngineError } from '#engine/base/errors.ts';

import { SourceListing } from './source-listing.ts';
import type { SourceDirectory, SourceFile, SourceFileSystem } from './source-file-system.ts';
import { joinPath, type SourceHandle } from './source-handle.ts';
import { printablePath } from './source-name.ts';
import { ENTRY_TYPE, SourceStat } from './source-stat.ts';

/** As in kopia fs/ignorefs/ignorefs.go. */
const LINKS_MAX = 30;
const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * Opens the file that the link `name` in `directory` leads to in the end. The root handle has to be
 * open.
 * @throws SOURCE_UNREADABLE when it leads out of the source, through a directory that is a link, to
 *   nothing, or to anything but a file
 */
export function openLinkedFile(
  fileSystem: SourceFileSystem,
  directory: SourceDirectory,
  name: Uint8Array,
): SourceFile {
  const link = joinPath(directory.path, name);
  try {
    return followLink(fileSystem, directory, name, link);
  } catch (cause) {
    // It is not the directory that vanished or changed: its rules cannot be known.
    if (!isEngineError(cause, 'SOURCE_VANISHED', 'SOURCE_CHANGED')) throw cause;
    throw linkProblem(link, 'there is no file where it leads', cause);
  }
}

function followLink(
  fileSystem: SourceFileSystem,
  directory: SourceDirectory,
  name: Uint8Array,
  link: Uint8Array,
): SourceFile {
  let parts: Uint8Array[] = [...directory.namesBelowRoot(), name];
  const { root } = directory;
  const names = new SourceListing();
  const stat = new SourceStat();
  for (let followed = 0; followed <= LINKS_MAX; followed++) {
    const { handle, index } = openParent(fileSystem, root, parts, names);
    try {
      fileSystem.statAt(handle, names, index, stat);
      if (stat.type === ENTRY_TYPE.file) return fileSystem.openFile(handle, names, index);
      if (stat.type !== ENTRY_TYPE.symlink) throw linkProblem(link, 'it does not lead to a file');
      parts = resolveTarget(parts, fileSystem.readLink(handle, names, index), link);
    } finally {
      if (handle !== root) handle[Symbol.dispose]();
    }
  }
  throw linkProblem(link, `more than ${LINKS_MAX} links follow each other`);
}

/** The directory of the last part, and the position of that part in `names`. */
function openParent(
  fileSystem: SourceFileSystem,
  root: SourceHandle,
  parts: readonly Uint8Array[],
  names: SourceListing,
): { handle: SourceHandle; index: number } {
  names.clear();
  let handle = root;
  for (const part of parts.slice(0, -1)) {
    const index = names.add(part, ENTRY_TYPE.directory);
    const parent = handle;
    try {
      handle = fileSystem.openDirectory(parent, names, index);
    } finally {
      if (parent !== root) parent[Symbol.dispose]();
    }
  }
  return { handle, index: names.add(parts.at(-1) ?? new Uint8Array(), ENTRY_TYPE.unknown) };
}

/** The names from the root to where a link with these `parts` and that `target` leads. */
function resolveTarget(parts: readonly Uint8Array[], target: Uint8Array, link: Uint8Array) {
  if (target[0] === SLASH) throw linkProblem(link, 'it is absolute');
  const resolved = parts.slice(0, -1);
  for (let start = 0; start <= target.length;) {
    const slash = target.indexOf(SLASH, start);
    const end = slash === -1 ? target.length : slash;
    const part = target.subarray(start, end);
    const isUp = part.length === 2 && part[0] === DOT && part[1] === DOT;
    if (isUp && resolved.pop() === undefined) throw linkProblem(link, 'it leaves the source');
    const isHere = part.length === 0 || (part.length === 1 && part[0] === DOT);
    if (!isUp && !isHere) resolved.push(part);
    start = end + 1;
  }
  if (resolved.length === 0) throw linkProblem(link, 'it does not lead to a file');
  return resolved;
}

function linkProblem(link: Uint8Array, problem: string, cause?: unknown): EngineError {
  const path = printablePath(link);
  return new EngineError(
    'SOURCE_UNREADABLE',
    `cannot follow ignore file ${path}: ${problem}; put the file itself there`,
    { details: { path }, cause },
  );
}
