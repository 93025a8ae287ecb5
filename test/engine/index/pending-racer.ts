// A worker thread of pending.test.ts: claims all keys of a seeded sequence as fast as it can, once
// all racers are there, and answers which of them it got.

import { parentPort, workerData } from 'node:worker_threads';
import { PendingContents, type SharedPendingContents } from '#engine/index/pending.ts';
import { randomFrom } from './model.ts';

export interface RaceOrder {
  readonly pending: SharedPendingContents;
  readonly gate: SharedArrayBuffer;
  readonly racers: number;
  readonly seed: number;
  readonly keys: number;
}

/** The same keys in the same order for everybody. */
export function raceKeys({ seed, keys }: { seed: number; keys: number }, keyBytes: number) {
  const random = randomFrom(seed);
  const bytes = new Uint8Array(keys * keyBytes);
  for (let i = 0; i < bytes.length; i++) bytes[i] = random(256);
  for (let at = 0; at < bytes.length; at += keyBytes) bytes[at] = random(2) * 0x6b;
  return bytes;
}

if (parentPort !== null) {
  const order = workerData as RaceOrder;
  const { keyBytes } = order.pending;
  const keys = raceKeys(order, keyBytes);
  const pending = PendingContents.attach(order.pending);
  const gate = new Int32Array(order.gate);
  Atomics.add(gate, 0, 1);
  while (Atomics.load(gate, 0) < order.racers);
  const claimed: number[] = [];
  for (let i = 0; i < order.keys; i++) {
    if (pending.claim(keys, i * keyBytes, keyBytes)) claimed.push(i);
  }
  parentPort.postMessage(claimed);
}
