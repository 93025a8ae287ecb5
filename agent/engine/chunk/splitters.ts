// Every splitter there is, by name: the 23 of kopia (repo/splitter/splitter.go, v0.23) and FastCDC
// with the sizes of its dynamic ones. A reader needs none of them; a writer must use the one that
// wrote the parent to find the same chunks again.

import { allocateArena } from '#engine/base/arena.ts';
import { EngineError } from '#engine/base/errors.ts';

import { scanBuzhash } from './buzhash.ts';
import { openFastCdc } from './fastcdc-splitter.ts';
import { GearScan, gearMask } from './gear.ts';
import { PositionSplitter, type Scan } from './position-splitter.ts';
import { scanRabinKarp } from './rabin-karp.ts';
import { openScanKernel } from './scan-kernel.ts';
import type { Splitter, SplitterAlgorithm } from './splitter.ts';

/** The longest arena of a splitter. */
export const ARENA_BYTES_MAX = 2 ** 30;

const ROLLING_HASHES = Object.freeze({
  BUZHASH: Object.freeze({ kernelScan: 'scanBuzhash', portableScan: scanBuzhash }),
  RABINKARP: Object.freeze({ kernelScan: 'scanRabinKarp', portableScan: scanRabinKarp }),
} as const);

type RollingHash = keyof typeof ROLLING_HASHES;

const SIZES = Object.freeze({
  '128K': 128 << 10,
  '256K': 256 << 10,
  '512K': 512 << 10,
  '1M': 1 << 20,
  '2M': 2 << 20,
  '4M': 4 << 20,
  '8M': 8 << 20,
});

const portableMemory = (bytes: number) =>
  ({ arena: allocateArena(limitedBytes(bytes)), form: 'portable' }) as const;

function fixed(name: string, chunkBytes: number): SplitterAlgorithm {
  const limits = { minBytes: chunkBytes, averageBytes: chunkBytes, maxBytes: chunkBytes };
  const never: Scan = { next: () => 0 };
  const options = { name, ...limits, skipBytes: chunkBytes - 1 };
  const create = (bytes: number) => new PositionSplitter(portableMemory(bytes), never, options);
  return { name, isStock: true, ...limits, create, portable: create };
}

function limitsAround(averageBytes: number) {
  return { minBytes: averageBytes / 2, averageBytes, maxBytes: averageBytes * 2 };
}

function dynamic(name: string, averageBytes: number, hash: RollingHash): SplitterAlgorithm {
  const limits = limitsAround(averageBytes);
  const mask = averageBytes - 1;
  const { kernelScan, portableScan } = ROLLING_HASHES[hash];
  // The first position tested is the minimum itself; its window lies inside the chunk.
  const options = { name, ...limits, skipBytes: limits.minBytes - 1 };
  const portable = (bytes: number) => {
    const memory = portableMemory(bytes);
    const area = memory.arena.bytes;
    const scan: Scan = { next: (start, end) => portableScan(area, start, end, mask) };
    return new PositionSplitter(memory, scan, options);
  };
  const create = (bytes: number) => {
    const kernel = openScanKernel(limitedBytes(bytes));
    if (kernel === undefined) return portable(bytes);
    const scan: Scan = { next: (start, end) => kernel[kernelScan](start, end, mask) };
    return new PositionSplitter({ arena: kernel.arena, form: 'wasm' }, scan, options);
  };
  return { name, isStock: true, ...limits, create, portable };
}

function fastCdc(name: string, averageBytes: number): SplitterAlgorithm {
  const limits = limitsAround(averageBytes);
  // The hash begins at 0 behind the minimum, so the minimum itself is not tested.
  const options = { name, ...limits, skipBytes: limits.minBytes };
  const portable = (bytes: number) => {
    const memory = portableMemory(bytes);
    const scan = new GearScan(memory.arena.bytes, gearMask(averageBytes));
    return new PositionSplitter(memory, scan, options);
  };
  const create = (bytes: number) => openFastCdc(limitedBytes(bytes), options) ?? portable(bytes);
  return { name, isStock: false, ...limits, create, portable };
}

function limitedBytes(bytes: number): number {
  if (Number.isInteger(bytes) && bytes > 0 && bytes <= ARENA_BYTES_MAX) return bytes;
  const problem = `memory for a splitter must have 1 to ${ARENA_BYTES_MAX} bytes, not ${bytes}`;
  throw new EngineError('LIMIT_EXCEEDED', problem, { details: { bytes, max: ARENA_BYTES_MAX } });
}

function allAlgorithms(): SplitterAlgorithm[] {
  const sized = Object.entries(SIZES).flatMap(([size, bytes]) => [
    fixed(`FIXED-${size}`, bytes),
    dynamic(`DYNAMIC-${size}-BUZHASH`, bytes, 'BUZHASH'),
    dynamic(`DYNAMIC-${size}-RABINKARP`, bytes, 'RABINKARP'),
    fastCdc(`FASTCDC-${size}`, bytes),
  ]);
  // Names of kopia's early days.
  const legacy = [fixed('FIXED', SIZES['4M']), dynamic('DYNAMIC', SIZES['4M'], 'BUZHASH')];
  return [...sized, ...legacy];
}

/** By name. Use splitterAlgorithm() for a name that comes from outside. */
export const SPLITTERS: Readonly<Record<string, SplitterAlgorithm>> = Object.freeze(
  Object.fromEntries(allAlgorithms().map(row => [row.name, Object.freeze(row)])),
);

/** @throws ALGORITHM_UNKNOWN */
export function splitterAlgorithm(name: string): SplitterAlgorithm {
  if (Object.hasOwn(SPLITTERS, name)) return SPLITTERS[name];
  throw new EngineError(
    'ALGORITHM_UNKNOWN',
    `splitter ${JSON.stringify(name)} is not known here; known are ` +
      `${Object.keys(SPLITTERS).join(', ')}; a newer version of this program may know it`,
    { details: { family: 'splitter', name } },
  );
}

/**
 * A splitter over `arenaBytes` bytes of memory of its own, in plain JavaScript with
 * `native: false`.
 * @throws ALGORITHM_UNKNOWN, LIMIT_EXCEEDED
 */
export function createSplitter(
  name: string,
  arenaBytes: number,
  options: { readonly native?: boolean } = {},
): Splitter {
  const algorithm = splitterAlgorithm(name);
  return options.native === false ? algorithm.portable(arenaBytes) : algorithm.create(arenaBytes);
}

/**
 * FastCDC with the minimum, average and maximum of a splitter; for a FIXED one, whose three are the
 * same, with its length for average.
 * @throws ALGORITHM_UNKNOWN
 */
export function fastCdcFor(name: string): SplitterAlgorithm {
  const { averageBytes } = splitterAlgorithm(name);
  const found = Object.entries(SIZES).find(([, bytes]) => bytes === averageBytes);
  return splitterAlgorithm(`FASTCDC-${found?.[0]}`);
}
