// A neighbour who writes as fast as it can, to the disk that a busy cache lies on, and a look at
// both from outside. Three processes: the readers, the neighbour, and this one, which takes the
// samples.
//
// At each sample the cache may have what is left above the kubelet's line: while less than that is
// free, it has to have nothing but its directory.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statfsSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Written } from './cache-neighbour-writer.ts';

export const LINE_SHARE = 0.1;
/** For which the speed of the neighbour is measured. */
export const WINDOW_MS = 250;
/** The directory, its lock, and what the file system needs for them. */
const DIRECTORY_BYTES = 64 * 1024;
/** A machine with other things to do makes the neighbour slow now and then. */
const TRIES = 4;
const FILL_MS_MAX = 120_000;

export interface NeighbourRequest {
  /** A part of a file system, so that it counts as the node's disk. */
  readonly directory: string;
  readonly seed: number;
  readonly bytesPerSecond: number;
  /** As fast as `bytesPerSecondMin`, each as a whole; slower ones are watched and do not count. */
  readonly fills: number;
  readonly bytesPerSecondMin: number;
}

export interface NeighbourOutcome {
  samples: number;
  /** Of a disk below its line, while the cache had something. */
  samplesAbove: number;
  mostAboveBytes: number;
  longestDelayMs: number;
  /** The longest time between two samples: what may have been missed. */
  longestGapMs: number;
  mostOwnBytes: number;
  /** Of those that were fast enough, and all. */
  fastFills: number;
  fills: number;
  /** Of the neighbour, in each window of the fast fills. */
  readonly bytesPerSecond: number[];
  /** The fastest of all fills, as a whole. */
  fastestFill: number;
}

export async function withNeighbour(request: NeighbourRequest): Promise<NeighbourOutcome> {
  const { directory, seed, fills } = request;
  const outcome: NeighbourOutcome = {
    samples: 0,
    samplesAbove: 0,
    mostAboveBytes: 0,
    longestDelayMs: 0,
    longestGapMs: 0,
    mostOwnBytes: 0,
    fastFills: 0,
    fills: 0,
    bytesPerSecond: [],
    fastestFill: 0,
  };
  for (let fill = 0; outcome.fastFills < fills && fill < fills * TRIES; fill++) {
    // A new one each time: a limit that fell by itself does not grow again for half a minute.
    const reader = start('reader', [directory, String(seed + fill)]);
    await Promise.race([once(reader, 'message'), once(reader, 'exit')]);
    const words = [directory, String(seed + fill), String(request.bytesPerSecond)];
    const writer = start('writer', words);
    writer.on('message', message => {
      // The only message that the writer sends.
      noteFill(outcome, message as Written, request.bytesPerSecondMin);
    });
    try {
      await watch(outcome, directory, writer);
    } finally {
      await Promise.all([end(reader), end(writer)]);
    }
  }
  return outcome;
}

function noteFill(outcome: NeighbourOutcome, written: Written, bytesPerSecondMin: number): void {
  const rate = written.bytes / written.seconds;
  outcome.fills++;
  outcome.fastestFill = Math.max(outcome.fastestFill, rate);
  if (rate < bytesPerSecondMin) return;
  outcome.fastFills++;
  outcome.bytesPerSecond.push(...written.bytesPerSecond);
}

async function watch(
  outcome: NeighbourOutcome,
  directory: string,
  writer: ChildProcess,
): Promise<void> {
  let lastMs = performance.now();
  const endMs = lastMs + FILL_MS_MAX;
  let aboveSinceMs: number | undefined;
  while (writer.exitCode === null && lastMs < endMs) {
    const ownBytes = ownBytesIn(directory);
    const { blocks, bavail, bsize } = statfsSync(directory);
    const missing = blocks * bsize * LINE_SHARE - bavail * bsize;
    // What it had before and what it has after: only what it held on to counts.
    const held = Math.min(ownBytes, ownBytesIn(directory)) - DIRECTORY_BYTES;
    const above = Math.min(missing, held);
    const nowMs = performance.now();
    outcome.samples++;
    outcome.mostOwnBytes = Math.max(outcome.mostOwnBytes, ownBytes);
    outcome.longestGapMs = Math.max(outcome.longestGapMs, nowMs - lastMs);
    lastMs = nowMs;
    if (above > 0) {
      outcome.samplesAbove++;
      outcome.mostAboveBytes = Math.max(outcome.mostAboveBytes, above);
      aboveSinceMs ??= nowMs;
      outcome.longestDelayMs = Math.max(outcome.longestDelayMs, nowMs - aboveSinceMs);
    } else aboveSinceMs = undefined;
    await pause(2);
  }
}

function ownBytesIn(directory: string): number {
  const path = `${directory}/stevedore-cache`;
  return readdirSync(path).reduce((sum, name) => {
    const found = statSync(`${path}/${name}`, { throwIfNoEntry: false });
    return sum + (found?.blocks ?? 0) * 512;
  }, 0);
}

function start(name: string, words: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(`cache-neighbour-${name}.ts`, import.meta.url)), words);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
