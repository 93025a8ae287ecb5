// What a directory tree on disk holds, in the form in which the expected.json of a recorded
// repository says it, and how two such lists differ.

import { createHash } from 'node:crypto';
import { createReadStream, type BigIntStats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { formatTimestamp } from '#engine/base/timestamp.ts';

export interface ListedEntry {
  /** Beneath the root, which is `.` itself. */
  readonly path: string;
  readonly type: 'f' | 'd' | 's';
  /** Octal, with setuid, setgid and sticky as POSIX numbers them; at least four digits. */
  readonly mode: string;
  /** RFC 3339 with nanoseconds. */
  readonly mtime: string;
  readonly uid: number;
  readonly gid: number;
  /** Of files. */
  readonly size?: number;
  readonly sha256?: string;
  /** Of symlinks. */
  readonly target?: string;
}

/** Every entry below `root` and itself, by the bytes of the path. Other types are refused. */
export async function treeListing(root: string): Promise<ListedEntry[]> {
  const entries: ListedEntry[] = [];
  const waiting = ['.'];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const place = path === '.' ? root : `${root}/${path}`;
    const stat = await lstat(place, { bigint: true });
    entries.push(await listed(path, place, stat));
    if (!stat.isDirectory()) continue;
    for (const name of await readdir(place)) waiting.push(path === '.' ? name : `${path}/${name}`);
  }
  return entries.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

async function listed(path: string, place: string, stat: BigIntStats): Promise<ListedEntry> {
  const always = {
    path,
    mode: (stat.mode & 0o7777n).toString(8).padStart(4, '0'),
    mtime: formatTimestamp(stat.mtimeNs),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
  };
  if (stat.isDirectory()) return { ...always, type: 'd' };
  if (stat.isSymbolicLink()) return { ...always, type: 's', target: await readlink(place) };
  if (!stat.isFile()) throw new Error(`${place} is neither file, directory nor symlink`);
  return { ...always, type: 'f', size: Number(stat.size), sha256: await sha256Of(place) };
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  return hash.digest('hex');
}

export interface ComparisonOptions {
  /** Attributes of some entries that do not count. */
  readonly without?: (entry: ListedEntry) => readonly (keyof ListedEntry)[];
}

/** A line for each attribute that differs, and for each path that only one list has. */
export function listingDifferences(
  expected: readonly ListedEntry[],
  found: readonly ListedEntry[],
  { without = () => [] }: ComparisonOptions = {},
): string[] {
  const byPath = new Map(found.map(entry => [entry.path, entry]));
  const lines: string[] = [];
  for (const entry of expected) {
    const other = byPath.get(entry.path);
    byPath.delete(entry.path);
    const path = JSON.stringify(entry.path);
    if (!other) {
      lines.push(`${path} is missing`);
      continue;
    }
    const skipped = without(entry);
    for (const attribute of COMPARED) {
      if (entry[attribute] === other[attribute] || skipped.includes(attribute)) continue;
      lines.push(`${path} ${attribute}: ${entry[attribute]} expected, ${other[attribute]} found`);
    }
  }
  for (const path of byPath.keys()) lines.push(`${JSON.stringify(path)} is there, too`);
  return lines;
}

const COMPARED = ['type', 'mode', 'mtime', 'uid', 'gid', 'size', 'sha256', 'target'] as const;

/** Only root gives owners back, and bits that lend the owner's rights go with the owner. */
export function lostWithoutRoot({ mode }: ListedEntry): readonly (keyof ListedEntry)[] {
  if (process.getuid?.() === 0) return [];
  const lendsRights = (parseInt(mode, 8) & 0o6000) !== 0;
  return lendsRights ? ['uid', 'gid', 'mode'] : ['uid', 'gid'];
}
