// Entries of a snapshot as `ls` shows them, in text and in JSON.

import { formatTimestamp } from '#engine/base/timestamp.ts';
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
    text: ({ size }: TreeEntry) => formatBytes(size),
  },
  { title: 'changed', text: ({ mtime }: TreeEntry) => localTime(formatTimestamp(mtime)) },
  { title: 'name', text: nameText },
]);

export function treeEntryDocument(entry: TreeEntry): Readonly<Record<string, unknown>> {
  return { ...entry, mtime: formatTimestamp(entry.mtime) };
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
});

function isDirectory(type: string): boolean {
  return TYPE_LETTERS[type] === 'd';
}

function nameText(entry: TreeEntry): string {
  const name = safeText(entry.path) + (isDirectory(entry.type) ? '/' : '');
  return entry.linkTarget === undefined ? name : `${name} -> ${safeText(entry.linkTarget)}`;
}
