// Directory trees that hold everything a kopia snapshot can express, made from a seed: names that
// sort differently by bytes and by UTF-16, that JSON has to escape, that are as long as may be; all
// mode bits; times before 1970 and far ahead; files around the boundaries of small splitters.

import { chmod, chown, lchown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { setLinkTimes } from '#test/support/file-times.ts';
import type { SeededRandom } from './random.ts';

export interface RandomTreeOptions {
  /** Adds a directory of this many files, for directory objects of several chunks. */
  readonly crowd?: number;
  /** Lengths of additional files. */
  readonly lengths?: readonly number[];
}

const isRoot = process.getuid?.() === 0;
const DEPTH_MAX = 5;
const ENTRIES_MAX = 9;

/** Makes `path`, which must not exist, and everything below. */
export async function makeRandomTree(
  path: string,
  random: SeededRandom,
  { crowd = 0, lengths = [] }: RandomTreeOptions = {},
): Promise<void> {
  const makers = [...lengths.map(length => fileMaker(random, length))];
  if (crowd > 0) makers.push(name => makeCrowd(name, random, crowd));
  await makeDirectory(path, random, 0, makers);
}

type Maker = (path: string) => Promise<void>;

async function makeDirectory(
  path: string,
  random: SeededRandom,
  depth: number,
  makers: readonly Maker[] = [],
): Promise<void> {
  await mkdir(path);
  const count = depth === 0 ? 3 + random.below(ENTRIES_MAX) : random.below(ENTRIES_MAX);
  const used = new Set<string>();
  for (const make of makers) await make(`${path}/${newName(random, used)}`);
  for (let index = 0; index < count; index++) {
    const place = `${path}/${newName(random, used)}`;
    if (random.once(5)) await makeLink(place, random);
    else if (random.once(3) && depth < DEPTH_MAX) await makeDirectory(place, random, depth + 1);
    else await fileMaker(random, randomLength(random))(place);
  }
  await dress(path, random, DIRECTORY_MODES);
}

function fileMaker(random: SeededRandom, length: number): Maker {
  return async path => {
    await writeFile(path, fileBytes(random, length));
    await dress(path, random, FILE_MODES);
  };
}

async function makeLink(path: string, random: SeededRandom): Promise<void> {
  const target = random.once(10)
    ? 't/'.repeat(1000)
    : `${random.pick(NAMES)}/${random.pick(NAMES)}`;
  await symlink(target, path);
  if (isRoot) await lchown(path, randomOwner(random), randomOwner(random));
  setLinkTimes(path, randomTime(random));
}

async function makeCrowd(path: string, random: SeededRandom, count: number): Promise<void> {
  await mkdir(path);
  for (let index = 0; index < count; index++) {
    const name = `${path}/${random.pick(['\u{1f600}', '\uff5e', 'é', 'plain'])}${index}`;
    await writeFile(name, random.bytes(random.below(20)));
    setLinkTimes(name, randomTime(random));
  }
  await dress(path, random, DIRECTORY_MODES);
}

/** Owner first, since a change of owner clears mode bits, and times last. */
async function dress(path: string, random: SeededRandom, modes: readonly number[]): Promise<void> {
  if (isRoot) await chown(path, randomOwner(random), randomOwner(random));
  await chmod(path, random.pick(modes) & (isRoot ? 0o7777 : 0o1777));
  setLinkTimes(path, randomTime(random));
}

const FILE_MODES = [0o644, 0o600, 0o755, 0o4755, 0o2755, 0o6711, 0o7777, 0o444, 0o1644];
const DIRECTORY_MODES = [0o755, 0o700, 0o1777, 0o2775, 0o3770, 0o555 | 0o200];

function randomOwner(random: SeededRandom): number {
  return random.pick([0, 0, 1, 1000, 65_534, 2 ** 31, 2 ** 32 - 2]);
}

const SECOND = 1_000_000_000n;
const TIMES: readonly bigint[] = [
  0n,
  1n,
  -1n,
  -SECOND,
  -1_500_000_000n,
  -2_000_000_000n * SECOND + 10n,
  1_700_000_000n * SECOND,
  1_700_000_000n * SECOND + 123_456_789n,
  1_700_000_000n * SECOND + 120_000_000n,
  1_700_000_000n * SECOND + 999_999_999n,
  2n ** 31n * SECOND,
  2n ** 32n * SECOND + 1n,
  // 2262-04-11, the last second that kopia knows.
  9_223_372_035n * SECOND + 500n,
];

function randomTime(random: SeededRandom): bigint {
  if (random.once(3)) return random.pick(TIMES);
  const seconds = BigInt(random.below(2 ** 31));
  return seconds * SECOND + BigInt(random.below(1e9));
}

const KIB = 1024;
/** Where DYNAMIC-128K and FIXED-128K begin, end or could miss a chunk. */
const BOUNDARIES = [64, 128, 192, 256, 384, 512].flatMap(kib => [
  kib * KIB - 1,
  kib * KIB,
  kib * KIB + 1,
]);

function randomLength(random: SeededRandom): number {
  if (random.once(6)) return 0;
  if (random.once(8)) return random.pick(BOUNDARIES);
  if (random.once(12)) return random.below(1 << 20);
  return random.below(3000);
}

function fileBytes(random: SeededRandom, length: number): Uint8Array {
  if (random.once(5)) return new Uint8Array(length);
  if (random.once(5)) return new Uint8Array(length).fill(random.below(256));
  if (random.once(5)) return Buffer.alloc(length, 'text that comes again and again\n');
  return random.bytes(length);
}

const NAMES: readonly string[] = [
  'a',
  'A',
  'b',
  'z',
  'Z',
  '0',
  '9',
  '_',
  '.hidden',
  '..two',
  '...',
  '-dash',
  '~',
  ' space ',
  'tab\t',
  'new\nline',
  'return\r',
  'bell\u0007',
  'back\b',
  'feed\f',
  '\u0001',
  '\u001f',
  '\u007f',
  '\u0080',
  'quote"',
  'back\\slash',
  "apo'strophe",
  '<tag>&amp;',
  'line\u2028',
  'paragraph\u2029',
  'é',
  'e\u0301',
  'ß',
  '中文',
  'ไทย',
  'עברית',
  '\ud7ff',
  '\ue000',
  '\uff5e',
  '\ufffd',
  '\uffff',
  '\u{10000}',
  '\u{1f600}',
  '\u{10ffff}',
  '\u00a0',
  '\ufeff',
  'x'.repeat(250),
  '中'.repeat(83),
  '\u{1f600}'.repeat(62),
  '*',
  '?',
  '$HOME',
  '%41',
  '{}',
  '[]',
  '|',
  ';',
  ':',
  ',',
];

/** Its beginning decides the order, its end makes it unique. */
function newName(random: SeededRandom, used: Set<string>): string {
  for (;;) {
    const name = random.pick(NAMES) + (random.once(2) ? '' : random.below(1000).toString(36));
    if (used.has(name) || name === '..') continue;
    used.add(name);
    return name;
  }
}
