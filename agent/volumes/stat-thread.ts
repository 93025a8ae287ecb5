// A thread that asks what is at one path, and ends. It may be held in the kernel for ever: nothing
// but this is lost with it.

import { lstatSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { systemCodeOf } from '#engine/base/errors.ts';
import type { StatAnswer } from './stat-in-thread.ts';

function ask(path: string): StatAnswer {
  try {
    const stats = lstatSync(path);
    return { stats: { dev: stats.dev, ino: stats.ino, isDirectory: stats.isDirectory() } };
  } catch (error) {
    return { code: systemCodeOf(error) ?? String(error) };
  }
}

parentPort?.postMessage(ask(String(workerData)));
