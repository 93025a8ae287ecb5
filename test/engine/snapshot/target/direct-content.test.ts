import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { arenaOver } from '#engine/base/arena.ts';
import { EXT4 } from '#engine/base/file-system-types.ts';
import { nativeFunction } from '#engine/base/native.ts';
import { readFromMemory } from '#engine/cache/native-files.ts';
import { DIRECT_BYTES_MIN, DirectContent } from '#engine/snapshot/target/direct-content.ts';
import { FileContent } from '#engine/snapshot/target/file-content.ts';
import { openNativeCalls } from '#engine/snapshot/target/native-calls.ts';
import { openPortableCalls } from '#engine/snapshot/target/portable-calls.ts';
import type { TargetCalls } from '#engine/snapshot/target/target-calls.ts';
import { TargetFileSystem } from '#engine/snapshot/target/target-file-system.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { bytesOf, wish } from './target-scene.ts';

const FILE_BYTES = 9_000_001;
const PAGE_BYTES = 64 << 10;
/** linux/fadvise.h */
const POSIX_FADV_RANDOM = 1;

interface Cut {
  readonly from: number;
  readonly to: number;
}

/** In an order of their own, as chunks are written by several threads. */
function cuts(random: SeededRandom): Cut[] {
  const made: Cut[] = [];
  for (let from = 0; from < FILE_BYTES;) {
    const length = 1 + random.below(random.once(4) ? 5000 : 3 * DIRECT_BYTES_MIN);
    made.push({ from, to: Math.min(FILE_BYTES, from + length) });
    from += length;
  }
  const order = made.map(cut => ({ cut, at: random.below(2 ** 30) }));
  return order.sort((one, other) => one.at - other.at).map(({ cut }) => cut);
}

/** What `calls` make of a new file that is written in pieces. */
function written(
  directory: string,
  calls: TargetCalls,
  bytes: Uint8Array,
  pieces: readonly Cut[],
): Buffer {
  const path = mkdtempSync(join(directory, 'target-'));
  const fileSystem = new TargetFileSystem(calls);
  using root = fileSystem.openRoot(bytesOf(path));
  {
    using file = fileSystem.createFile(root, bytesOf('file'), wish());
    fileSystem.setSize(file, bytes.length);
    for (const { from, to } of pieces) {
      const arena = arenaOver(bytes);
      fileSystem.writeNew(file, arena, { offset: from, length: to - from, position: from });
    }
  }
  const found = readFileSync(join(path, 'file'));
  rmSync(path, { recursive: true });
  return found;
}

function nativeCalls(): TargetCalls {
  const calls = openNativeCalls();
  if (calls === undefined) throw new Error('there are no native calls here');
  return calls;
}

/** The native calls but for some. */
function changed(changes: Partial<TargetCalls>): TargetCalls {
  return new Proxy(nativeCalls(), {
    get: (target, name) => {
      const change: unknown = Reflect.get(changes, name);
      const member: unknown = Reflect.get(target, name, target);
      if (change !== undefined) return change;
      // Methods use private fields, which the proxy does not have.
      return typeof member === 'function' ? (member as () => unknown).bind(target) : member;
    },
  });
}

/** Calls of which those for a direct descriptor come out as `write` says. */
function troubled(write: (call: () => number, length: number) => number): TargetCalls {
  const calls = nativeCalls();
  const direct = new Set<number>();
  return changed({
    openPath: (path, flags) => {
      const descriptor = calls.openPath(path, flags);
      if (Buffer.from(path).toString().startsWith('/proc/self/fd/')) direct.add(descriptor);
      return descriptor;
    },
    close: descriptor => {
      direct.delete(descriptor);
      return calls.close(descriptor);
    },
    write: (descriptor, arena, range) => {
      const call = (): number => calls.write(descriptor, arena, range);
      return direct.has(descriptor) ? write(call, range.length) : call();
    },
  });
}

let count = 0;
const TROUBLES: readonly (readonly [name: string, calls: () => TargetCalls])[] = [
  ['no trouble', nativeCalls],
  ['node:fs alone', () => openPortableCalls() ?? nativeCalls()],
  [
    'no second descriptor',
    () =>
      changed({
        openPath: (path, flags) =>
          Buffer.from(path).toString().startsWith('/proc/')
            ? -24
            : nativeCalls().openPath(path, flags),
      }),
  ],
  ['a kernel that refuses', () => troubled(() => -22)],
  ['a disk that fails after a while', () => troubled(call => (++count % 3 === 0 ? -5 : call()))],
  ['a file that takes nothing', () => troubled(() => 0)],
  [
    'a disk that takes less',
    () => {
      const calls = nativeCalls();
      return changed({
        write: (descriptor, arena, range) =>
          calls.write(descriptor, arena, { ...range, length: Math.ceil(range.length / 2) }),
      });
    },
  ],
];

for (const [name, callsOf] of TROUBLES) {
  t.test(`with ${name} a file of many pieces is what was written`, t => {
    const seed = newSeed();
    t.comment(`STEVEDORE_TEST_SEED=${seed}`);
    const random = new SeededRandom(seed);
    const directory = t.testdir();
    for (let run = 0; run < 3; run++) {
      const bytes = new Uint8Array(random.bytes(FILE_BYTES));
      t.ok(written(directory, callsOf(), bytes, cuts(random)).equals(bytes));
    }
    t.end();
  });
}

t.test('of a long piece no page but those at its ends stays in memory', async t => {
  const directory = t.testdir();
  if (statfsSync(directory).type !== EXT4) {
    t.comment('skipped: the directory is on another file system');
    return;
  }
  const position = 5000;
  const length = 3 * DIRECT_BYTES_MIN;
  const fd = writeOnly(t, directory, { position, length });
  const inMemory = (at: number): boolean => readFromMemory(fd, Buffer.alloc(4096), at);
  t.ok(inMemory(position), 'its beginning');
  t.ok(inMemory(position + length - 4096), 'its end');
  const lastPage = Math.floor((position + length) / PAGE_BYTES);
  const pages = Array.from({ length: lastPage - 1 }, (_, index) => (index + 1) * PAGE_BYTES);
  t.same(pages.filter(inMemory), [], 'and nothing between');
  const short = writeOnly(t, directory, { position, length: DIRECT_BYTES_MIN - 1 });
  t.ok(readFromMemory(short, Buffer.alloc(4096), 10 * PAGE_BYTES), 'a short one does');
});

/** A descriptor of a file of which one piece was written. */
function writeOnly(
  t: Test,
  directory: string,
  { position, length }: { readonly position: number; readonly length: number },
): number {
  const calls = nativeCalls();
  const path = mkdtempSync(join(directory, 'target-'));
  const fileSystem = new TargetFileSystem(calls);
  using root = fileSystem.openRoot(bytesOf(path));
  using file = fileSystem.createFile(root, bytesOf('file'), wish());
  fileSystem.setSize(file, position + length);
  const direct = new DirectContent(calls, new FileContent(calls));
  direct.write(file, arenaOver(new Uint8Array(length).fill(7)), { offset: 0, length, position });
  const fd = openSync(join(path, 'file'), 'r');
  t.teardown(() => closeSync(fd));
  // Else a look at one page may have the kernel read others ahead.
  nativeFunction('int posix_fadvise64(int, int64_t, int64_t, int)')?.(fd, 0, 0, POSIX_FADV_RANDOM);
  return fd;
}
