// Entries of a snapshot as `ls` shows them, in text and in JSON.

import { formatTimestamp } from '#engine/base/timestamp.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';
import { formatBytes } from './quantity.ts';
import { localTime } from './snapshots.ts';
import type { Column } from './table.ts';
import { safeText } from './terminal-text.ts';
import type { Engine } from './verb.ts';

type Yielded<Items> = Items extends AsyncIterable<infer Item> ? Item : never;
export type TreeEntry = Yielded<ReturnType<Engine['listTree']>>;

/** As `ls -l` has it, except that the size of a directory is that of all files below. */
export const TREE_COLUMNS: readonly Column<TreeEntry>[] = Object.freeze([
  { title: 'mode', text: ({ type, mode }: TreeEntry) => modeText(type, Number(mode)) },
  { title: 'owner', isRight: true, text: ({ uid, gid }: TreeEntry) => `${uid}:${gid}` },
  {
    title: 'size',
    isRight: true,
    text: ({ size, device }: TreeEntry) =>
      device === undefined ? formatBytes(size) : `${device.major}, ${device.minor}`,
  },
  { title: 'changed', text: ({ mtime }: TreeEntry) => localTime(formatTimestamp(mtime)) },
  { title: 'name', text: nameText },
]);

export function treeEntryDocument(entry: TreeEntry): Readonly<Record<string, unknown>> {
  const { nameBytes, ...plain } = entry;
  const raw = nameBytes && { nameBytes: Buffer.from(nameBytes).toString('base64') };
  return { ...plain, ...raw, mtime: formatTimestamp(entry.mtime) };
}

/** `drwxr-xr-x`, with s, S, t and T where a special bit is set. */
export function modeText(type: string, mode: number): string {
  const triple = (shift: number, special: number, letter: string) => {
    const bits = mode >> shift;
    const canExecute = (bits & 1) !== 0;
    const isSpecial = (mode & special) !== 0;
    const last = isSpecial ? (canExecute ? letter : letter.toUpperCase()) : canExecute ? 'x' : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
  };
  const access = triple(6, 0o4000, 's') + triple(3, 0o2000, 's') + triple(0, 0o1000, 't');
  return `${TYPE_LETTERS[type] ?? '?'}${access}`;
}

const TYPE_LETTERS: Readonly<Record<string, string>> = Object.freeze({
  file: '-',
  f: '-',
  directory: 'd',
  d: 'd',
  symlink: 'l',
  s: 'l',
  fifo: 'p',
  socket: 's',
  'character-device': 'c',
  'block-device': 'b',
});

function isDirectory(type: string): boolean {
  return TYPE_LETTERS[type] === 'd';
}

/** Bytes that are no text stand as `\\xff`; a path with them in it names the entry. */
function shownPath({ path, nameBytes }: TreeEntry): string {
  if (nameBytes === undefined) return path;
  return path.slice(0, path.lastIndexOf('/') + 1) + printablePath(nameBytes);
}

function nameText(entry: TreeEntry): string {
  const name = safeText(shownPath(entry)) + (isDirectory(entry.type) ? '/' : '');
  return entry.linkTarget === undefined ? name : `${name} -> ${safeText(entry.linkTarget)}`;
}
