// What the figures were measured on. A figure without this says nothing.

import { execFileSync } from 'node:child_process';
import {
  availableParallelism,
  cpus,
  loadavg,
  release,
  totalmem,
  type as systemName,
} from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryMib: number;
  readonly system: string;
  readonly node: string;
  readonly openssl: string;
  /** The commit that was measured, and `modified` when that is not all. */
  readonly commit: string;
  /** Of the last minute, when the benchmark began. */
  readonly loadAtStart: number;
  /** Whether others keep the machine so busy that wall times mean little. */
  readonly isBusy: boolean;
}

const LOAD_PER_CORE_MAX = 0.5;
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

export function describeMachine(): Machine {
  const cores = availableParallelism();
  const [loadAtStart = 0] = loadavg();
  return {
    cores,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryMib: Math.round(totalmem() / 2 ** 20),
    system: `${systemName()} ${release()} ${process.arch}`,
    node: process.versions.node,
    openssl: process.versions.openssl,
    commit: commit(),
    loadAtStart,
    isBusy: loadAtStart > LOAD_PER_CORE_MAX * cores,
  };
}

function commit(): string {
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', PROJECT, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const isModified = git('status', '--porcelain', '--', 'agent') !== '';
    return git('rev-parse', '--short', 'HEAD') + (isModified ? ', modified' : '');
  } catch {
    // A copy without its history, or a machine without git.
    return 'unknown';
  }
}
