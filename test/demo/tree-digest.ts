// Everything about a tree that a backup has to bring back, entry by entry, to compare two trees.
// Names are read as bytes, so that those that are not UTF-8 count, too.

import { createHash } from 'node:crypto';
import { createReadStream, type BigIntStats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';

export interface TreeDigest {
  /** Attributes by path; the path is the name's bytes as Latin-1, one character a byte. */
  readonly entries: ReadonlyMap<string, string>;
  readonly files: number;
  readonly bytes: number;
}

export async function digestTree(directory: string): Promise<TreeDigest> {
  const entries = new Map<string, string>();
  let files = 0;
  let bytes = 0;
  const waiting = [''];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const place = Buffer.from(`${Buffer.from(directory).toString('latin1')}${path}`, 'latin1');
    const stat = await lstat(place, { bigint: true });
    entries.set(path, `${attributesOf(stat)} ${await contentOf(place, stat)}`);
    if (stat.isFile()) {
      files++;
      bytes += Number(stat.size);
    }
    if (!stat.isDirectory()) continue;
    const names = await readdir(place, { encoding: 'buffer' });
    for (const name of names) waiting.push(`${path}/${name.toString('latin1')}`);
  }
  return { entries, files, bytes };
}

/** A line for each path that is not the same in both; `ignored` ones are left out. */
export function compareTrees(
  expected: TreeDigest,
  found: TreeDigest,
  ignored: ReadonlySet<string> = new Set(),
): string[] {
  const paths = new Set([...expected.entries.keys(), ...found.entries.keys()]);
  return [...paths]
    .filter(path => !ignored.has(path))
    .map(path => [path, expected.entries.get(path), found.entries.get(path)] as const)
    .filter(([, before, after]) => before !== after)
    .map(
      ([path, before, after]) => `${path || '/'}: ${before ?? 'nothing'} -> ${after ?? 'nothing'}`,
    );
}

function attributesOf(stat: BigIntStats): string {
  const { mode, uid, gid, mtimeNs } = stat;
  return `${mode.toString(8)} ${uid}:${gid} ${mtimeNs}`;
}

async function contentOf(place: Buffer, stat: BigIntStats): Promise<string> {
  if (stat.isSymbolicLink()) return (await readlink(place, 'buffer')).toString('latin1');
  if (!stat.isFile()) return '-';
  const hash = createHash('sha256');
  for await (const piece of createReadStream(place)) hash.update(piece as Uint8Array);
  return `${stat.size} ${hash.digest('hex')}`;
}
