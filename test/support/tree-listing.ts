// What a directory tree on disk holds, all that a snapshot can say about it, and how two such lists
// differ. Entries of the trees that the expected.json of a recorded repository knows look as they
// do there; what is more than that is there only where an entry has it.

import { createHash } from 'node:crypto';
import { createReadStream, type BigIntStats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { formatTimestamp } from '#engine/base/timestamp.ts';
import { holesOf, inodeAttributesOf, xattrsOf } from './inode-attributes.ts';

export interface ListedEntry {
  /** Beneath the root, which is `.` itself; a byte that is not UTF-8 is `\xNN`. */
  readonly path: string;
  /** File, directory, symlink, named pipe, socket, character and block device. */
  readonly type: 'f' | 'd' | 's' | 'p' | 'k' | 'c' | 'b';
  /** Octal, with setuid, setgid and sticky as POSIX numbers them; at least four digits. */
  readonly mode: string;
  /** RFC 3339 with nanoseconds. */
  readonly mtime: string;
  readonly uid: number;
  readonly gid: number;
  /** Of files. */
  readonly size?: number;
  readonly sha256?: string;
  /** Of symlinks; written like paths. */
  readonly target?: string;
  /** `major:minor` of devices. */
  readonly device?: string;
  /** The first of several names that this tree has for one inode. */
  readonly sameAs?: string;
  /** `name=value` in hexadecimal, by name. */
  readonly xattrs?: string;
  /** Those that chattr(1) can set, in hexadecimal. */
  readonly flags?: string;
  readonly project?: number;
  /** `offset+length`, ascending. */
  readonly holes?: string;
}

/** Every entry below `root` and itself, by the bytes of the path. */
export async function treeListing(root: string): Promise<ListedEntry[]> {
  const found: { path: Buffer; stat: BigIntStats }[] = [];
  const waiting: Buffer[] = [ROOT];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const place = placeOf(root, path);
    const stat = await lstat(place, { bigint: true });
    found.push({ path, stat });
    if (!stat.isDirectory()) continue;
    for (const name of await readdir(place, { encoding: 'buffer' })) {
      waiting.push(path === ROOT ? name : Buffer.concat([path, SLASH, name]));
    }
  }
  found.sort((a, b) => Buffer.compare(a.path, b.path));
  const names = groupNames(found);
  const entries: ListedEntry[] = [];
  for (const { path, stat } of found) {
    const sameAs = names.get(inodeOf(stat));
    entries.push(await listed(root, path, stat, sameAs));
  }
  return entries;
}

const ROOT = Buffer.from('.');
const SLASH = Buffer.from('/');

function placeOf(root: string, path: Buffer): Buffer {
  return path === ROOT ? Buffer.from(root) : Buffer.concat([Buffer.from(root), SLASH, path]);
}

function inodeOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** The first name of each inode that has several in the tree. */
function groupNames(found: readonly { path: Buffer; stat: BigIntStats }[]): Map<string, string> {
  const firsts = new Map<string, string>();
  const several = new Map<string, string>();
  for (const { path, stat } of found.filter(({ stat: each }) => !each.isDirectory())) {
    const first = firsts.get(inodeOf(stat));
    if (first === undefined) firsts.set(inodeOf(stat), byteText(path));
    else several.set(inodeOf(stat), first);
  }
  return several;
}

async function listed(
  root: string,
  path: Buffer,
  stat: BigIntStats,
  sameAs: string | undefined,
): Promise<ListedEntry> {
  const place = placeOf(root, path);
  const always = {
    path: byteText(path),
    mode: (stat.mode & 0o7777n).toString(8).padStart(4, '0'),
    mtime: formatTimestamp(stat.mtimeNs),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
  };
  const more = { ...moreOf(place), ...(sameAs === undefined ? {} : { sameAs }) };
  if (stat.isDirectory()) return { ...always, type: 'd', ...more, ...inodeMore(place) };
  if (stat.isSymbolicLink()) {
    return { ...always, type: 's', target: byteText(await readlink(place, 'buffer')), ...more };
  }
  if (stat.isFIFO()) return { ...always, type: 'p', ...more };
  if (stat.isSocket()) return { ...always, type: 'k', ...more };
  if (!stat.isFile()) {
    const type = stat.isCharacterDevice() ? 'c' : 'b';
    return { ...always, type, device: deviceText(stat.rdev), ...more };
  }
  const content = { size: Number(stat.size), sha256: await sha256Of(place) };
  return { ...always, type: 'f', ...content, ...more, ...inodeMore(place), ...holesMore(place) };
}

/** Text; a name in a path that is not UTF-8 has its bytes as `\xNN`. */
export function byteText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  if (Buffer.from(text).equals(bytes)) return text;
  const slash = bytes.indexOf(0x2f);
  if (slash >= 0)
    return `${byteText(bytes.subarray(0, slash))}/${byteText(bytes.subarray(slash + 1))}`;
  return Array.from(bytes, byte =>
    byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`,
  ).join('');
}

function moreOf(place: Buffer): Pick<ListedEntry, 'xattrs'> {
  const found = xattrsOf(place);
  if (found.size === 0) return {};
  const texts = [...found].map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`);
  return { xattrs: texts.join(' ') };
}

/** All but what the file system sets by itself: extents, indexed, inline (linux/fs.h). */
const SETTABLE_FLAGS = 0x6283_c4ff;

function inodeMore(place: Buffer): Pick<ListedEntry, 'flags' | 'project'> {
  const { flags, project } = inodeAttributesOf(place);
  const settable = flags & SETTABLE_FLAGS;
  return {
    ...(settable === 0 ? {} : { flags: (settable >>> 0).toString(16) }),
    ...(project === 0 ? {} : { project }),
  };
}

function holesMore(place: Buffer): Pick<ListedEntry, 'holes'> {
  const holes = holesOf(place);
  return holes.length === 0
    ? {}
    : { holes: holes.map(([at, bytes]) => `${at}+${bytes}`).join(' ') };
}

/** As glibc's gnu_dev_major and gnu_dev_minor take it apart. */
function deviceText(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

async function sha256Of(path: Buffer): Promise<string> {
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

const COMPARED = [
  'type',
  'mode',
  'mtime',
  'uid',
  'gid',
  'size',
  'sha256',
  'target',
  'device',
  'sameAs',
  'xattrs',
  'flags',
  'project',
  'holes',
] as const satisfies readonly (keyof ListedEntry)[];

/** Only root gives owners back, and bits that lend the owner's rights go with the owner. */
export function lostWithoutRoot({ mode }: ListedEntry): readonly (keyof ListedEntry)[] {
  if (process.getuid?.() === 0) return [];
  const lendsRights = (parseInt(mode, 8) & 0o6000) !== 0;
  return lendsRights ? ['uid', 'gid', 'mode'] : ['uid', 'gid'];
}
