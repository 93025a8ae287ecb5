// Small trees of everything that a directory can hold, made from a seed, and changed as programs
// change them. Names, times, owners and attributes are odd more often than they are in real life;
// unlike random-tree.ts this makes what kopia cannot keep as well. For Linux, and best for root.

import {
  chmodSync,
  closeSync,
  constants,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  type BigIntStats,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { allocateArena } from '#engine/base/arena.ts';
import { nativeFunction } from '#engine/base/native.ts';
import { removeXattr, setInodeFlags, setTimes, setXattr, xattrsOf } from './inode-attributes.ts';
import type { SeededRandom } from './random.ts';

const isRoot = process.getuid?.() === 0;
const DEPTH_MAX = 4;
const SECOND = 1_000_000_000n;
const PAGE = 4096;
const { S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK } = {
  S_IFIFO: constants.S_IFIFO,
  S_IFSOCK: constants.S_IFSOCK,
  S_IFCHR: constants.S_IFCHR,
  S_IFBLK: constants.S_IFBLK,
};
const NODUMP = 0x40;
const NO_ACCESS_TIME = 0x80;

const mknod = nativeFunction('int mknod(uintptr_t, unsigned int, uint64_t)');
const path = allocateArena(PAGE);

export class OddTree {
  readonly root: Buffer;
  readonly #random: SeededRandom;
  readonly #hasLookalikes: boolean;
  /** Directories and everything else; what is gone is found out when it is used. */
  #directories: Buffer[] = [];
  #others: Buffer[] = [];

  /**
   * @param options without lookalikes no two names of a directory are the same to who reads bytes
   *   that are no UTF-8 as U+FFFD, as kopia does: a snapshot of it has both under one name
   */
  constructor(root: string, random: SeededRandom, options: { hasLookalikes?: boolean } = {}) {
    this.root = Buffer.from(root);
    this.#random = random;
    this.#hasLookalikes = options.hasLookalikes ?? true;
  }

  /** Makes the root, which must not exist, and `count` entries below. */
  make(count: number): void {
    mkdirSync(this.root);
    this.#directories.push(this.root);
    for (let index = 0; index < count; index++) this.#add();
    this.#dressDirectories();
  }

  /**
   * Does `count` things to a tree that is there, and says what. Secret changes of content leave
   * size and time as they are; without them no file gets the time that another content had.
   */
  change({ count, isSecret }: { readonly count: number; readonly isSecret: boolean }): string[] {
    this.#find();
    const changed: Buffer[] = [];
    const done = Array.from({ length: count }, () => {
      const [name, act] = this.#random.pick(isSecret ? [...CHANGES, SECRET_CHANGE] : CHANGES);
      const place = this.#random.pick(this.#others);
      // What was done before may have removed it, or put a directory there.
      const isThere = place !== undefined && lstatSync(place, GENTLE)?.isDirectory() === false;
      if (name !== 'add' && !isThere) return 'nothing';
      const written = name === 'add' ? this.#add() : act(place ?? this.root, this.#random);
      if (written !== undefined) changed.push(written);
      return `${name} ${place?.toString('latin1') ?? ''}`;
    });
    if (!isSecret) for (const place of changed) this.#disclose(place);
    return done;
  }

  /** Times of a few are so common that a file that is written has one that it had before. */
  #disclose(place: Buffer): void {
    if (lstatSync(place, GENTLE)?.isFile() === true) setTimes(place, uncommonTime(this.#random));
  }

  #find(): void {
    this.#directories = [];
    this.#others = [];
    const waiting = [this.root];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      this.#directories.push(at);
      // Not in the order of the file system, which differs from run to run.
      for (const name of readdirSync(at, { encoding: 'buffer' }).sort((a, b) => a.compare(b))) {
        const place = join(at, name);
        if (lstatSync(place).isDirectory()) waiting.push(place);
        else this.#others.push(place);
      }
    }
  }

  /** Where a file was added. */
  #add(): Buffer | undefined {
    const random = this.#random;
    const parents = this.#directories.filter(each => lstatSync(each, GENTLE)?.isDirectory());
    const parent = random.pick(parents);
    const place = join(parent, Buffer.from(newName(random), 'latin1'));
    if (lstatSync(place, GENTLE) !== undefined) return undefined;
    if (!this.#hasLookalikes && hasLookalike(place)) return undefined;
    const depth = parent.toString('latin1').split('/').length - this.#rootDepth();
    if (random.once(3) && depth < DEPTH_MAX) {
      mkdirSync(place);
      this.#directories.push(place);
      return undefined;
    }
    const existing = this.#others.filter(each => lstatSync(each, GENTLE)?.isDirectory() === false);
    if (random.once(6) && existing.length > 0) linkSync(random.pick(existing), place);
    else random.pick(MAKERS)(place, random);
    this.#others.push(place);
    dress(place, random);
    return place;
  }

  #rootDepth(): number {
    return this.root.toString('latin1').split('/').length;
  }

  /** Last, since what is made in a directory changes its time. */
  #dressDirectories(): void {
    for (const place of this.#directories.toReversed()) dress(place, this.#random);
  }
}

const GENTLE = Object.freeze({ throwIfNoEntry: false } as const);

function join(directory: Buffer, name: Uint8Array): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name]);
}

type Maker = (place: Buffer, random: SeededRandom) => void;

const MAKERS: readonly Maker[] = [
  makeFile,
  makeFile,
  makeFile,
  makeSparse,
  (place, random) => symlinkSync(Buffer.from(random.pick(TARGETS), 'latin1'), place),
  (place, random) => {
    makeNode(place, random.once(2) ? S_IFIFO : S_IFSOCK, 0n);
  },
  (place, random) => {
    if (isRoot) makeNode(place, random.once(2) ? S_IFCHR : S_IFBLK, random.pick(DEVICES));
    else makeFile(place, random);
  },
];

function makeFile(place: Buffer, random: SeededRandom): void {
  const length = random.once(4) ? 0 : random.once(12) ? random.below(400_000) : random.below(5000);
  const isZero = random.once(6);
  writeFileSync(place, isZero ? new Uint8Array(length) : random.bytes(length));
}

/** Holes at the beginning, between and at the end. */
function makeSparse(place: Buffer, random: SeededRandom): void {
  const file = openSync(place, 'w');
  const pages = 1 + random.below(100);
  const writes = random.below(4);
  for (let index = 0; index < writes; index++) {
    const bytes = random.bytes(1 + random.below(2 * PAGE));
    writeSync(file, bytes, 0, bytes.length, random.below(pages) * PAGE);
  }
  ftruncateSync(file, pages * PAGE - random.below(PAGE));
  closeSync(file);
}

function makeNode(place: Buffer, type: number, device: bigint): void {
  path.bytes.set(place);
  path.bytes[place.length] = 0;
  if (mknod?.(path.address, type | 0o600, Number(device)) !== 0) writeFileSync(place, 'no node');
}

/** Attributes of all kinds, in the order in which none takes another away. */
function dress(place: Buffer, random: SeededRandom): void {
  const stat = lstatSync(place);
  if (isRoot && random.once(2)) lchownSync(place, random.pick(OWNERS), random.pick(OWNERS));
  if (!stat.isSymbolicLink()) chmodSync(place, random.pick(MODES) & (isRoot ? 0o7777 : 0o1777));
  if (random.once(3)) addXattr(place, random);
  if ((stat.isFile() || stat.isDirectory()) && random.once(8)) {
    setInodeFlags(place, random.pick([NODUMP, NO_ACCESS_TIME, NODUMP | NO_ACCESS_TIME]));
  }
  if (!random.once(4)) setTimes(place, randomTime(random));
}

function addXattr(place: Buffer, random: SeededRandom): void {
  const name = random.pick(isRoot ? XATTRS : XATTRS.slice(0, 3));
  // On links and special files the kernel takes no user attributes; then there is none.
  setXattr(place, name, random.bytes(random.pick([0, 1, 10, 200, 3000])));
}

/** Does something to what is at the place, and says which name has another content for it. */
type Act = (place: Buffer, random: SeededRandom) => Buffer | undefined;
type Change = readonly [name: string, act: Act];

const CHANGES: readonly Change[] = [
  ['add', () => undefined],
  ['rewrite', toFiles((place, _, random) => makeFile(place, random))],
  ['append', toFiles((place, _, random) => writeFileSync(place, random.bytes(50), APPEND))],
  ['truncate', toFiles(truncate)],
  ['write in place', toFiles(overwrite)],
  ['dress', toAttributes(dress)],
  ['attribute', toAttributes(addXattr)],
  [
    'no attributes',
    toAttributes(place => {
      for (const name of xattrsOf(place).keys()) removeXattr(place, name);
    }),
  ],
  ['remove', toAttributes(place => rmSync(place))],
  ['replace', replace],
  ['rename', rename],
  [
    'another name',
    (place, random) => {
      const other = sibling(place, random);
      if (lstatSync(other, GENTLE) === undefined) linkSync(place, other);
      return other;
    },
  ],
];
const SECRET_CHANGE: Change = [
  'write in place and set the time back',
  toFiles((place, stat, random) => {
    overwrite(place, stat, random);
    setTimes(place, stat.mtimeNs);
  }),
];
const APPEND = Object.freeze({ flag: 'a' } as const);

function toFiles(act: (place: Buffer, stat: BigIntStats, random: SeededRandom) => void): Act {
  return (place, random) => {
    const stat = lstatSync(place, { bigint: true });
    if (stat.isFile()) act(place, stat, random);
    return place;
  };
}

function toAttributes(act: (place: Buffer, random: SeededRandom) => void): Act {
  return (place, random) => {
    act(place, random);
    return undefined;
  };
}

function truncate(place: Buffer, { size }: BigIntStats, random: SeededRandom): void {
  const file = openSync(place, 'r+');
  ftruncateSync(file, random.below(Number(size) + PAGE));
  closeSync(file);
}

function overwrite(place: Buffer, { size }: BigIntStats, random: SeededRandom): void {
  if (size === 0n) return;
  const file = openSync(place, 'r+');
  const at = random.below(Number(size));
  const bytes = random.bytes(Math.min(Number(size) - at, 1 + random.below(100)));
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

/** By something of another kind, a directory included. */
function replace(place: Buffer, random: SeededRandom): Buffer {
  rmSync(place);
  if (random.once(3)) {
    mkdirSync(place);
    makeFile(join(place, Buffer.from('inside')), random);
  } else {
    random.pick(MAKERS)(place, random);
  }
  dress(place, random);
  return place;
}

function rename(place: Buffer, random: SeededRandom): Buffer {
  const other = sibling(place, random);
  if (lstatSync(other, GENTLE)?.isDirectory() !== true) renameSync(place, other);
  return other;
}

function sibling(place: Buffer, random: SeededRandom): Buffer {
  const parent = place.subarray(0, place.lastIndexOf('/'));
  return join(parent, Buffer.from(newName(random), 'latin1'));
}

/** Bytes as Latin-1: mostly text, now and then no UTF-8. */
/** Among its siblings. */
function hasLookalike(place: Buffer): boolean {
  const slash = place.lastIndexOf('/');
  const text = place.subarray(slash + 1).toString();
  return readdirSync(place.subarray(0, slash)).includes(text);
}

function newName(random: SeededRandom): string {
  const name = random.pick(NAMES);
  return random.once(3) ? name : name.slice(0, 240) + random.below(30).toString(36);
}

function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

const NAMES: readonly string[] = [
  'a',
  'b',
  'B',
  '.hidden',
  '-dash',
  ' ',
  'two\nlines',
  '"\\',
  utf8('é'),
  utf8('e\u0301'),
  utf8('\u{1f600}'),
  utf8('\ufffd'),
  '\xff',
  'a\xfe\xff',
  '\xe9t\xe9',
  'x'.repeat(255),
];

const TARGETS: readonly string[] = ['a', '../b', '/no/where', '.', 'x'.repeat(900), 'a\xff', 'b/'];
const OWNERS: readonly number[] = [0, 1, 1000, 65_534, 2 ** 31, 2 ** 32 - 2];
const MODES: readonly number[] = [0o644, 0o600, 0o755, 0o4755, 0o2755, 0o7777, 0o444, 0, 0o1777];
const XATTRS: readonly string[] = [
  'user.a',
  'user.b',
  'user.\xff\xe9',
  'trusted.a',
  'trusted.overlay.x',
  'security.test',
];
/** makedev(1, 3), makedev(8, 0), makedev(259, 70000). */
const DEVICES: readonly bigint[] = [0x103n, 0x800n, 0x1_1101_0370n & 0xffff_ffffn];

function randomTime(random: SeededRandom): bigint {
  const odd = [0n, -1n, -1_500_000_000n, 2n ** 32n * SECOND + 1n, 1_700_000_000n * SECOND];
  return random.once(4) ? random.pick(odd) : uncommonTime(random);
}

function uncommonTime(random: SeededRandom): bigint {
  return BigInt(random.below(2 ** 31)) * SECOND + BigInt(random.below(1e9));
}
