// What cache-torture.ts does to our cache, done to kopia's with the settings that Velero gives it
// and to ours in turn: the same restores, the same limits, the same neighbour, the same deaths, by
// seed. kopia reads its limits when it starts; ours are changed while it restores, too.
//
// A limit that falls counts from the end of the run on that is told of it, for both; of a run that
// was killed nobody knows what it had been told in time, so there it is the end of the next one.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  ftruncateSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { allocateBlocks } from '#engine/cache/native-files.ts';
import { MIB } from '#test/engine/cache/scratch-cache.ts';
import { SeededRandom } from '#test/support/random.ts';
import {
  type ComparisonPlace,
  fill,
  kopiaIn,
  PASSWORD,
  s3Words,
  veleroWords,
} from './cache-kopia.ts';
import type { TortureAnswer, TortureOrder } from './cache-kopia-torture-restorer.ts';

const RESTORER = fileURLToPath(new URL('cache-kopia-torture-restorer.ts', import.meta.url));
/** A fifth of each is kopia's for metadata, and its numbers are whole ones. */
const LIMITS_MIB = [10, 15, 20, 25, 40];
/** Of what there is more than the lower limits; what fits a limit is kept whole. */
const SOURCE_BYTES = 20 * MIB;
const NEIGHBOUR_SHARE_MAX = 0.995;
const KILL_SAMPLE_MAX = 200;

export interface TorturedProgram {
  readonly program: string;
  runs: number;
  kills: number;
  limitChanges: number;
  failedRestores: number;
  samples: number;
  samplesAbove: number;
  /** Of what was allowed. */
  highestShare: number;
  mostAboveMib: number;
  longestAboveMs: number;
}

interface Program {
  readonly name: string;
  /** Whether everything was restored; false for one that was killed, too. */
  run(limitMib: number): Promise<boolean>;
  /** False when it is too late to be told; undefined where that is not to be had while it runs. */
  readonly change?: (limitMib: number) => boolean;
  /** False where there is nothing to kill yet. */
  kill(): boolean;
  close(): Promise<void>;
}

/** Both programs on the same disk, one after the other. */
export async function tortureBoth(
  place: ComparisonPlace,
  { seed, runs }: { readonly seed: number; readonly runs: number },
): Promise<TorturedProgram[]> {
  const source = `${place.scratch}/source`;
  fill(source, new SeededRandom(seed), SOURCE_BYTES);
  const maker = kopiaIn(place, 'maker');
  await maker.run('repository', 'create', ...s3Words(place));
  await maker.run('snapshot', 'create', source);
  const [{ rootEntry }] = await maker.snapshots();
  rmSync(source, { recursive: true });
  const found: TorturedProgram[] = [];
  for (const program of [await kopiaProgram(place, rootEntry.obj), new OurProgram(place)]) {
    const torture = new Torture(place.disk, program);
    try {
      for (let run = 0; run < runs; run++) await torture.run((seed + run) >>> 0);
    } finally {
      await torture.close();
    }
    found.push(torture.outcome);
  }
  return found;
}

class Torture {
  readonly outcome: TorturedProgram;
  readonly #disk: string;
  readonly #program: Program;
  readonly #baseBytes: number;
  readonly #neighbourFd: number;
  #hasNeighbour = false;
  #lastMib = 0;
  #allowedBytes = 0;
  #aboveSinceMs: number | undefined;

  constructor(disk: string, program: Program) {
    this.#disk = disk;
    this.#program = program;
    this.outcome = {
      program: program.name,
      runs: 0,
      kills: 0,
      limitChanges: 0,
      failedRestores: 0,
      samples: 0,
      samplesAbove: 0,
      highestShare: 0,
      mostAboveMib: 0,
      longestAboveMs: 0,
    };
    this.#neighbourFd = openSync(`${disk}/neighbour`, 'w');
    this.#baseBytes = this.#usedBytes();
  }

  async run(seed: number): Promise<void> {
    const random = new SeededRandom(seed);
    const limitMib = random.pick(LIMITS_MIB);
    let killAt = random.once(5) ? 1 + random.below(KILL_SAMPLE_MAX) : undefined;
    this.#hasNeighbour = random.once(3);
    if (!this.#hasNeighbour) ftruncateSync(this.#neighbourFd, 0);
    this.#allowedBytes = Math.max(this.#lastMib, limitMib) * MIB;
    this.#lastMib = limitMib;
    let isDone = false;
    let wasKilled = false;
    const running = this.#program.run(limitMib).finally(() => (isDone = true));
    // Else it counts as not handled until the loop has ended.
    running.catch(() => undefined);
    for (let sample = 1; !isDone; sample++) {
      this.#disturb(random);
      this.#sample();
      await pause(1);
      if (killAt === undefined || sample < killAt || !this.#program.kill()) continue;
      wasKilled = true;
      this.#lastMib = this.#allowedBytes / MIB;
      killAt = undefined;
      this.outcome.kills++;
    }
    const isRight = await running;
    this.#sample();
    this.outcome.runs++;
    if (!isRight && !wasKilled) this.outcome.failedRestores++;
  }

  async close(): Promise<void> {
    await this.#program.close();
    closeSync(this.#neighbourFd);
    for (const name of readdirSync(this.#disk)) {
      if (name !== 'lost+found') rmSync(`${this.#disk}/${name}`, { recursive: true });
    }
  }

  #disturb(random: SeededRandom): void {
    const { change } = this.#program;
    if (random.once(120) && change) this.#change(change, random.pick(LIMITS_MIB));
    if (!this.#hasNeighbour || !random.once(8)) return;
    const { size } = fstatSync(this.#neighbourFd);
    const { blocks, bavail, bsize } = statfsSync(this.#disk);
    const room = bavail * bsize - blocks * bsize * (1 - NEIGHBOUR_SHARE_MAX);
    if (random.once(4)) ftruncateSync(this.#neighbourFd, 0);
    else if (room > MIB) allocateBlocks(this.#neighbourFd, size + random.below(room));
  }

  #change(change: NonNullable<Program['change']>, limitMib: number): void {
    if (!change(limitMib)) return;
    this.#lastMib = limitMib;
    this.#allowedBytes = Math.max(this.#allowedBytes, limitMib * MIB);
    this.outcome.limitChanges++;
  }

  #sample(): void {
    const { outcome } = this;
    const neighbourBytes = fstatSync(this.#neighbourFd).blocks * 512;
    const ownBytes = this.#usedBytes() - this.#baseBytes - neighbourBytes;
    const nowMs = performance.now();
    outcome.samples++;
    outcome.highestShare = Math.max(outcome.highestShare, ownBytes / this.#allowedBytes);
    const aboveBytes = ownBytes - this.#allowedBytes;
    if (aboveBytes <= 0) {
      this.#aboveSinceMs = undefined;
      return;
    }
    outcome.samplesAbove++;
    outcome.mostAboveMib = Math.max(outcome.mostAboveMib, aboveBytes / MIB);
    this.#aboveSinceMs ??= nowMs;
    outcome.longestAboveMs = Math.max(outcome.longestAboveMs, nowMs - this.#aboveSinceMs);
  }

  #usedBytes(): number {
    const { blocks, bfree, bsize } = statfsSync(this.#disk);
    return (blocks - bfree) * bsize;
  }
}

async function kopiaProgram(place: ComparisonPlace, root: string): Promise<Program> {
  const kopia = kopiaIn(place, 'tortured', `${place.disk}/kopia`);
  const connect = ['repository', 'connect', ...s3Words(place)];
  await kopia.run(...connect, ...veleroWords(LIMITS_MIB[0]));
  let child: ChildProcess | undefined;
  return {
    name: 'kopia',
    run: async limitMib => {
      const target = `${place.scratch}/target`;
      await kopia.run('cache', 'set', ...veleroWords(limitMib));
      child = kopia.start('restore', root, target, '--parallel=32');
      const [status] = (await once(child, 'exit')) as [number | null];
      child = undefined;
      rmSync(target, { recursive: true, force: true });
      return status === 0;
    },
    kill: () => child?.kill('SIGKILL') ?? false,
    close: async () => undefined,
  };
}

class OurProgram implements Program {
  readonly name = 'ours';
  readonly #place: ComparisonPlace;
  #child: ChildProcess | undefined;
  #isRunning = false;

  constructor(place: ComparisonPlace) {
    this.#place = place;
    mkdirSync(this.#directory, { recursive: true });
  }

  get #directory(): string {
    return `${this.#place.disk}/ours`;
  }

  async run(limitMib: number): Promise<boolean> {
    const { url, credentials } = this.#place.server;
    const target = `${this.#place.scratch}/target`;
    mkdirSync(this.#directory, { recursive: true });
    const child = (this.#child ??= fork(RESTORER, [this.#directory]));
    this.#isRunning = true;
    const isRight = await this.#ask(child, {
      kind: 'run',
      url: `s3://bucket/comparison/?endpoint=${url}&region=us-east-1`,
      credentials,
      password: PASSWORD,
      limitMib,
      target,
    });
    this.#isRunning = false;
    // What it was told last is in force when it answers.
    const isSettled = isRight !== undefined && (await this.#ask(child, { kind: 'settle' }));
    rmSync(target, { recursive: true, force: true });
    if (isSettled !== true) this.#child = undefined;
    return isRight === true && isSettled === true;
  }

  readonly change = (limitMib: number): boolean => {
    if (this.#isRunning) this.#child?.send({ kind: 'limit', limitMib } satisfies TortureOrder);
    return this.#isRunning;
  };

  kill(): boolean {
    const isKilled = this.#isRunning && (this.#child?.kill('SIGKILL') ?? false);
    if (isKilled) this.#isRunning = false;
    return isKilled;
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Undefined when it has ended. */
  async #ask(child: ChildProcess, order: TortureOrder): Promise<boolean | undefined> {
    const answered = Promise.race([once(child, 'message'), once(child, 'exit')]);
    child.send(order);
    // The only message that it sends, or its status.
    const [answer] = (await answered) as [TortureAnswer | number | null];
    return typeof answer === 'object' ? answer?.isRight : undefined;
  }
}
