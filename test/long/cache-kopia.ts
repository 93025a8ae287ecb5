// Restores through kopia's cache, as Velero sets it up, and through ours: the same repository on an
// S3 server, the same limit, the caches on a file system of their own, which is looked at from
// outside all the while.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, statfsSync, statSync, utimesSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MIB } from '#test/engine/cache/scratch-cache.ts';
import type { RunningServer } from '#test/servers/start.ts';
import { Kopia } from '#test/support/kopia.ts';
import { SeededRandom } from '#test/support/random.ts';
import type { RestorerOrder } from './cache-kopia-restorer.ts';

export const PASSWORD = 'comparison';
export const LIMIT_MB = 100;
const LIMIT_BYTES = LIMIT_MB * MIB;
/** What is backed up, in MiB; the first fits what kopia is told to keep, both do not. */
const PARTS = { first: 56, second: 144 };
/** kopia lets the time of an entry be for ten minutes (DefaultTouchThreshold). */
const PAUSE_MS = 11 * 60_000;
const SAMPLE_EVERY_MS = 1;

export interface DiskUse {
  readonly name: string;
  readonly samples: number;
  readonly samplesAbove: number;
  readonly highestMib: number;
  /** The longest time without a sample at or below the limit. */
  readonly longestAboveMs: number;
  readonly isAboveAtEnd: boolean;
}

export interface ComparisonPlace {
  /** A file system of its own. */
  readonly disk: string;
  readonly scratch: string;
  readonly server: RunningServer;
}

interface Mover {
  /** A part of what was backed up; everything when absent. */
  readonly part?: string;
  readonly cache: string;
}

/** A part of a scenario: movers that run side by side. */
type Round = readonly Mover[];

/** What is done with both programs; caches are named, and one of ours serves all movers. */
const SCENARIOS: Readonly<Record<string, readonly Round[]>> = {
  'one mover': [[{ cache: 'a' }]],
  'a part of it, and all of it 11 minutes later': [
    [{ part: 'first', cache: 'a' }],
    [{ cache: 'a' }],
  ],
  'four movers side by side, a cache each': [['a', 'b', 'c', 'd'].map(cache => ({ cache }))],
  'four movers side by side, one cache': [['a', 'a', 'a', 'a'].map(cache => ({ cache }))],
};

export async function compareWithKopia(place: ComparisonPlace, seed: number): Promise<DiskUse[]> {
  const source = `${place.scratch}/source`;
  for (const [part, mib] of Object.entries(PARTS)) {
    fill(`${source}/${part}`, new SeededRandom(seed + mib), mib * MIB);
  }
  const maker = kopiaIn(place, 'maker');
  await maker.run('repository', 'create', ...s3Words(place));
  await maker.run('snapshot', 'create', source);
  const [{ rootEntry }] = await maker.snapshots();
  rmSync(source, { recursive: true });
  const uses: DiskUse[] = [];
  for (const [name, rounds] of Object.entries(SCENARIOS)) {
    const kopias = rounds.map(round => () => restoreByKopia(place, rootEntry.obj, round));
    uses.push(await watched(place, `kopia, ${name}`, kopias));
    const ours = rounds.map(round => () => restoreByUs(place, round));
    uses.push(await watched(place, `ours, ${name}`, ours));
  }
  return uses;
}

/** Does one after the other, with a pause between as far as files can tell; then cleans up. */
async function watched(
  place: ComparisonPlace,
  name: string,
  rounds: readonly (() => Promise<void>)[],
): Promise<DiskUse> {
  const watcher = new Watcher(place.disk);
  for (const [index, round] of rounds.entries()) {
    if (index > 0) makeOlder(place.disk);
    await watcher.during(round());
    rmSync(`${place.scratch}/targets`, { recursive: true, force: true });
  }
  for (const entry of readdirSync(place.disk)) {
    if (entry !== 'lost+found') rmSync(`${place.disk}/${entry}`, { recursive: true });
  }
  return { name, ...watcher.found() };
}

class Watcher {
  readonly #disk: string;
  readonly #baseBytes: number;
  #samples = 0;
  #samplesAbove = 0;
  #highest = 0;
  #longestAboveMs = 0;
  #aboveSinceMs: number | undefined;

  constructor(disk: string) {
    this.#disk = disk;
    this.#baseBytes = this.#usedBytes();
  }

  async during(work: Promise<void>): Promise<void> {
    let isDone = false;
    const done = work.finally(() => (isDone = true));
    // Else it counts as not handled until the loop has ended.
    done.catch(() => undefined);
    while (!isDone) {
      this.#sample();
      await pause(SAMPLE_EVERY_MS);
    }
    await done;
    this.#sample();
  }

  found(): Omit<DiskUse, 'name'> {
    return {
      samples: this.#samples,
      samplesAbove: this.#samplesAbove,
      highestMib: Math.round(this.#highest / MIB),
      longestAboveMs: Math.round(this.#longestAboveMs),
      isAboveAtEnd: this.#aboveSinceMs !== undefined,
    };
  }

  #sample(): void {
    const used = this.#usedBytes() - this.#baseBytes;
    const nowMs = performance.now();
    this.#samples++;
    this.#highest = Math.max(this.#highest, used);
    if (used <= LIMIT_BYTES) {
      this.#aboveSinceMs = undefined;
      return;
    }
    this.#samplesAbove++;
    this.#aboveSinceMs ??= nowMs;
    this.#longestAboveMs = Math.max(this.#longestAboveMs, nowMs - this.#aboveSinceMs);
  }

  #usedBytes(): number {
    const { blocks, bfree, bsize } = statfsSync(this.#disk);
    return (blocks - bfree) * bsize;
  }
}

async function restoreByKopia(place: ComparisonPlace, root: string, round: Round): Promise<void> {
  const movers = round.map(async ({ part, cache }, index) => {
    const kopia = kopiaIn(place, `mover-${index}`, `${place.disk}/${cache}`);
    await kopia.run('repository', 'connect', ...s3Words(place), ...veleroWords());
    const target = `${place.scratch}/targets/${index}`;
    return () => kopia.run('restore', part ? `${root}/${part}` : root, target);
  });
  // All are connected before one begins.
  const restores = await Promise.all(movers);
  await Promise.all(restores.map(restore => restore()));
}

async function restoreByUs(place: ComparisonPlace, round: Round): Promise<void> {
  const restorer = fileURLToPath(new URL('cache-kopia-restorer.ts', import.meta.url));
  const { url, credentials } = place.server;
  const order: RestorerOrder = {
    url: `s3://bucket/comparison/?endpoint=${url}&region=us-east-1`,
    credentials,
    password: PASSWORD,
    directory: `${place.disk}/cache`,
    absoluteBytes: LIMIT_BYTES,
    targets: round.map((_, index) => `${place.scratch}/targets/${index}`),
    part: round[0].part,
  };
  mkdirSync(order.directory, { recursive: true });
  const child = fork(restorer);
  child.send(order);
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`our restores ended with ${status}`);
}

export function kopiaIn({ scratch }: ComparisonPlace, name: string, cache?: string): Kopia {
  const directory = `${scratch}/${name}`;
  mkdirSync(directory, { recursive: true });
  return new Kopia({ directory, cache, password: PASSWORD });
}

export function s3Words({ server }: ComparisonPlace): string[] {
  const { accessKeyId, secretAccessKey } = server.credentials;
  return [
    's3',
    '--bucket=bucket',
    '--prefix=comparison/',
    `--endpoint=${new URL(server.url).host}`,
    '--disable-tls',
    `--access-key=${accessKeyId}`,
    `--secret-access-key=${secretAccessKey}`,
    '--no-check-for-updates',
  ];
}

/**
 * Four fifths of the limit for contents, one for metadata, and four fifths of each as the size that
 * is wanted (Velero 1.18, pkg/repository/udmrepo/kopialib/backend/common.go: SetupConnectOptions).
 */
export function veleroWords(limitMib = LIMIT_MB): string[] {
  const [content, metadata] = [limitMib * 0.8, limitMib * 0.2];
  return [
    `--content-cache-size-mb=${Math.floor(content * 0.8)}`,
    `--content-cache-size-limit-mb=${content}`,
    `--metadata-cache-size-mb=${Math.floor(metadata * 0.8)}`,
    `--metadata-cache-size-limit-mb=${metadata}`,
    '--max-list-cache-duration=30s',
  ];
}

/** Many small files, and some of megabytes. */
export function fill(directory: string, random: SeededRandom, bytesMin: number): void {
  mkdirSync(directory, { recursive: true });
  for (let bytes = 0, file = 0; bytes < bytesMin; file++) {
    const most = random.once(10) ? 4 * MIB : 50_000;
    const length = 1 + random.below(most);
    writeFileSync(`${directory}/${file}`, random.bytes(length));
    bytes += length;
  }
}

function makeOlder(directory: string): void {
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = `${directory}/${name}`;
    const { mtimeMs } = statSync(path);
    utimesSync(path, new Date(mtimeMs - PAUSE_MS), new Date(mtimeMs - PAUSE_MS));
  }
}
