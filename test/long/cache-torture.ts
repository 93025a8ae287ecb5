// The outside of the torture: runs a process with the cache, kills it, changes its limit, fills the
// disk beside it, and takes samples. One thread does all of that, so that a sample and what the
// neighbour has at that moment belong together.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  ftruncateSync,
  fstatSync,
  openSync,
  readdirSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { allocateBlocks } from '#engine/cache/native-files.ts';
import { MIB } from '#test/engine/cache/scratch-cache.ts';
import { SeededRandom } from '#test/support/random.ts';
import type { ReaderMessage, RunOrder } from './cache-torture-reader.ts';

const READER = fileURLToPath(new URL('cache-torture-reader.ts', import.meta.url));
const LIMITS = [1, 2, 3, 5, 8, 13].map(mib => mib * MIB);
const NEIGHBOUR_SHARE_MAX = 0.995;

export interface TortureOutcome {
  runs: number;
  samples: number;
  samplesAbove: number;
  firstAbove: string;
  /** Of runs that went wrong: STEVEDORE_TEST_SEED=<seed> STEVEDORE_TORTURE_RUNS=1 is one alone. */
  badSeeds: number[];
  /** The fullest that a cache was, of its limit. */
  highestShare: number;
  kills: number;
  changes: number;
  hits: number;
  wrongBytes: number;
  failedReads: number;
  /** Of a cache that was above what the neighbour left it, until it was not. */
  longestDelayMs: number;
}

export async function torture(
  directory: string,
  { seed, runs }: { readonly seed: number; readonly runs: number },
): Promise<TortureOutcome> {
  const harness = new Harness(directory);
  try {
    for (let run = 0; run < runs; run++) await harness.run((seed + run) >>> 0);
  } finally {
    await harness.close();
  }
  return harness.outcome;
}

class Harness {
  readonly outcome: TortureOutcome = {
    runs: 0,
    samples: 0,
    samplesAbove: 0,
    firstAbove: '',
    badSeeds: [],
    highestShare: 0,
    kills: 0,
    changes: 0,
    hits: 0,
    wrongBytes: 0,
    failedReads: 0,
    longestDelayMs: 0,
  };
  readonly #directory: string;
  /** Of this run alone. */
  #random = new SeededRandom(0);
  #seed = 0;
  readonly #baseBytes: number;
  readonly #neighbourFd: number;
  #child: ChildProcess | undefined;
  /** What the cache has last said that it keeps to. */
  #acknowledged = 0;
  /** Limits that were asked for since, in that order: each may hold by now, or not yet. */
  #asked: number[] = [];
  #isDone = false;
  #hasNeighbour = false;
  #overdrawnSinceMs: number | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.#neighbourFd = openSync(`${directory}/neighbour`, 'w');
    this.#baseBytes = this.#usedBytes();
  }

  /** One life of readers, to its end or to its death. */
  async run(seed: number): Promise<void> {
    const random = new SeededRandom(seed);
    this.#random = random;
    this.#seed = seed;
    const badBefore = this.#badCount();
    const limit = random.pick(LIMITS);
    const isKilled = random.once(5);
    this.#hasNeighbour = random.once(3);
    if (!this.#hasNeighbour) ftruncateSync(this.#neighbourFd, 0);
    const killAt = 1 + random.below(100);
    const child = this.#living();
    this.#isDone = false;
    this.#order({ kind: 'run', seed: random.below(2 ** 31), limit });
    for (let sample = 1; !this.#isDone; sample++) {
      this.#disturb();
      this.#sample();
      // The cache needs a processor, too.
      await pause(1);
      if (isKilled && sample === killAt) await this.#kill(child);
    }
    this.#sample();
    this.outcome.runs++;
    if (this.#badCount() > badBefore) this.outcome.badSeeds.push(seed);
  }

  #badCount(): number {
    const { samplesAbove, wrongBytes, failedReads } = this.outcome;
    return samplesAbove + wrongBytes + failedReads;
  }

  async close(): Promise<void> {
    closeSync(this.#neighbourFd);
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  #living(): ChildProcess {
    if (this.#child) return this.#child;
    const child = fork(READER, [this.#directory]);
    child.on('message', message => {
      // What one that was killed has said before it died may come after its end.
      if (this.#child === child) this.#hear(message as ReaderMessage);
    });
    child.on('exit', () => {
      // The next process finds what this one left, which may be as much as it was ever allowed.
      this.#acknowledged = this.#limit;
      this.#asked = [];
      this.#isDone = true;
      this.#child = undefined;
    });
    this.#child = child;
    return child;
  }

  async #kill(child: ChildProcess): Promise<void> {
    this.outcome.kills++;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  #hear(message: ReaderMessage): void {
    if (message.kind === 'limited') {
      this.#acknowledged = message.limit;
      this.#asked.shift();
    }
    if (message.kind !== 'done') return;
    this.#isDone = true;
    this.outcome.hits += message.hits;
    this.outcome.wrongBytes += message.wrongBytes;
    this.outcome.failedReads += message.failedReads;
  }

  /** No more than this may be allocated now. */
  get #limit(): number {
    return Math.max(this.#acknowledged, ...this.#asked);
  }

  #order(order: RunOrder): void {
    this.#asked.push(order.limit);
    this.#child?.send(order);
  }

  /** Now and then another limit, and a neighbour who comes and goes. */
  #disturb(): void {
    const random = this.#random;
    if (random.once(60)) {
      this.outcome.changes++;
      this.#order({ kind: 'limit', limit: random.pick(LIMITS) });
    }
    if (!this.#hasNeighbour || !random.once(8)) return;
    const { size } = fstatSync(this.#neighbourFd);
    const { blocks, bavail, bsize } = statfsSync(this.#directory);
    const room = bavail * bsize - blocks * bsize * (1 - NEIGHBOUR_SHARE_MAX);
    if (random.once(4)) ftruncateSync(this.#neighbourFd, 0);
    else if (room > MIB) allocateBlocks(this.#neighbourFd, size + random.below(room));
  }

  #sample(): void {
    const neighbourBytes = fstatSync(this.#neighbourFd).blocks * 512;
    const seen = this.#usedBytes() - this.#baseBytes - neighbourBytes;
    const counted = this.#countedBytes();
    const own = Math.max(seen, counted);
    this.outcome.samples++;
    this.outcome.highestShare = Math.max(this.outcome.highestShare, own / this.#limit);
    this.#noteDelay(counted);
    if (own <= this.#limit) return;
    this.outcome.samplesAbove++;
    const found = `statfs ${seen}, du ${counted}, limit ${this.#limit}`;
    this.outcome.firstAbove ||= `run ${this.outcome.runs}, seed ${this.#seed}: ${found}`;
  }

  /** How long the cache held on to what a full disk would have needed. */
  #noteDelay(own: number): void {
    const { blocks, bavail, bsize } = statfsSync(this.#directory);
    const isOverdrawn = bavail * bsize < blocks * bsize * 0.015 && own > MIB / 4;
    const nowMs = performance.now();
    if (!isOverdrawn) this.#overdrawnSinceMs = undefined;
    else this.#overdrawnSinceMs ??= nowMs;
    const delayMs = nowMs - (this.#overdrawnSinceMs ?? nowMs);
    this.outcome.longestDelayMs = Math.max(this.outcome.longestDelayMs, Math.round(delayMs));
  }

  #usedBytes(): number {
    const { blocks, bfree, bsize } = statfsSync(this.#directory);
    return (blocks - bfree) * bsize;
  }

  #countedBytes(): number {
    const path = `${this.#directory}/stevedore-cache`;
    let bytes = 0;
    for (const name of namesIn(path)) {
      const found = statSync(`${path}/${name}`, { throwIfNoEntry: false });
      bytes += (found?.blocks ?? 0) * 512;
    }
    return bytes;
  }
}

function namesIn(path: string): string[] {
  try {
    return ['.', ...readdirSync(path)];
  } catch {
    return [];
  }
}
