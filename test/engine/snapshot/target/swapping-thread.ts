// Somebody with rights in the target who changes it under a restore: puts a link in the place of a
// directory, or a link and a file by turns in the place of a file, as fast as it can.

import { linkSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

export interface SwapOrder {
  /** What is swapped, and what the link says. */
  readonly path: string;
  readonly linkTarget: string;
  readonly kind: 'directory' | 'file' | 'link';
  /** [0] ends it when it is not 0; [1] counts. */
  readonly shared: Int32Array;
}

/** Bounded, should nobody end it. */
const SWAPS_MAX = 2_000_000;

// The test that starts this thread gives it exactly that.
const { path, linkTarget, kind, shared } = workerData as SwapOrder;

function quietly(...steps: (() => void)[]): void {
  for (const step of steps) {
    try {
      step();
    } catch {
      // The restore was faster: that is what the race is about.
    }
  }
}

const swaps = {
  directory: () =>
    quietly(
      () => renameSync(path, `${path}.aside`),
      () => symlinkSync(linkTarget, path),
      () => unlinkSync(path),
      () => renameSync(`${path}.aside`, path),
    ),
  file: () =>
    quietly(
      () => unlinkSync(path),
      () => symlinkSync(linkTarget, path),
      () => unlinkSync(path),
      () => writeFileSync(path, ''),
      () => unlinkSync(path),
      () => linkSync(linkTarget, path),
    ),
  link: () =>
    quietly(
      () => unlinkSync(path),
      () => linkSync(linkTarget, path),
    ),
};

parentPort?.postMessage('ready');
for (let i = 0; i < SWAPS_MAX && Atomics.load(shared, 0) === 0; i++) {
  swaps[kind]();
  Atomics.add(shared, 1, 1);
}
