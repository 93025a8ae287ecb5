// Runs a program to its end and says what it took: wall time by our clock, processor time and peak
// resident memory as the kernel counted them for that one process. GNU time is asked where it is
// installed; else /proc is looked at every few milliseconds, which misses what a process does at
// the very end. Where neither is there, only wall time is known.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuSecondsOf } from '#test/support/process-cpu.ts';

export interface Command {
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
}

/** What was not measured is NaN. */
export interface RunCost {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMib: number;
  /** What had to come from a disk; 0 means that all caches were warm. */
  readonly diskReadMib: number;
}

export interface Measurer {
  readonly name: string;
  readonly measure: (command: Command) => Promise<RunCost>;
}

const GNU_TIME = '/usr/bin/time';
const POLL_MS = 5;
const RUN_MS_MAX = 30 * 60 * 1000;
const STDERR_BYTES_SHOWN = 2000;
/** A block of ru_inblock. */
const BLOCK_BYTES = 512;

export function chooseMeasurer(): Measurer {
  if (existsSync(GNU_TIME) && spawnSync(GNU_TIME, ['-f', '%M', 'true']).status === 0) {
    return { name: `${GNU_TIME} (rusage of the process)`, measure: measureByTime };
  }
  if (existsSync('/proc/self/status')) {
    return { name: `/proc, looked at every ${POLL_MS} ms`, measure: measureByProc };
  }
  return { name: 'nothing: only wall time is known', measure: measureWall };
}

/** Runs without measuring; standard output. */
export async function runCommand(command: Command): Promise<string> {
  const pieces: Buffer[] = [];
  await finish(start(command), command, piece => pieces.push(piece));
  return Buffer.concat(pieces).toString();
}

async function measureByTime(command: Command): Promise<RunCost> {
  const report = join(tmpdir(), `stevedore-bench-time-${process.pid}`);
  const timed = [GNU_TIME, '-o', report, '-f', '%U %S %M %I', ...command.words];
  try {
    const { wallSeconds } = await measureWall({ ...command, words: timed });
    const [user = NaN, system = NaN, kib = NaN, blocks = NaN] = readFileSync(report, 'utf8')
      .trim()
      .split(' ')
      .map(Number);
    return {
      wallSeconds,
      cpuSeconds: user + system,
      peakMib: kib / 1024,
      diskReadMib: (blocks * BLOCK_BYTES) / 2 ** 20,
    };
  } finally {
    rmSync(report, { force: true });
  }
}

async function measureByProc(command: Command): Promise<RunCost> {
  const startMs = performance.now();
  const child = start(command);
  let cpuSeconds = 0;
  let peakMib = 0;
  const timer = setInterval(() => {
    const seen = lookAt(child.pid);
    cpuSeconds = Math.max(cpuSeconds, seen?.cpuSeconds ?? 0);
    peakMib = Math.max(peakMib, seen?.peakMib ?? 0);
  }, POLL_MS);
  try {
    await finish(child, command);
  } finally {
    clearInterval(timer);
  }
  const wallSeconds = (performance.now() - startMs) / 1000;
  return { wallSeconds, cpuSeconds, peakMib, diskReadMib: NaN };
}

async function measureWall(command: Command): Promise<RunCost> {
  const startMs = performance.now();
  await finish(start(command), command);
  const wallSeconds = (performance.now() - startMs) / 1000;
  return { wallSeconds, cpuSeconds: NaN, peakMib: NaN, diskReadMib: NaN };
}

function lookAt(pid: number | undefined): { cpuSeconds: number; peakMib: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kib = Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0);
    return { cpuSeconds: cpuSecondsOf(pid ?? 0), peakMib: kib / 1024 };
  } catch {
    // It has ended; the last look counts.
    return undefined;
  }
}

function start({ words, environment, directory }: Command): ChildProcess {
  const [program = '', ...rest] = words;
  return spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    cwd: directory,
    timeout: RUN_MS_MAX,
    killSignal: 'SIGKILL',
  });
}

function finish(
  child: ChildProcess,
  { words }: Command,
  onOutput: (piece: Buffer) => void = () => {},
): Promise<void> {
  let said = '';
  child.stdout?.on('data', onOutput);
  child.stderr?.on('data', (piece: Buffer) => {
    said = (said + piece.toString()).slice(-STDERR_BYTES_SHOWN);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0) return resolve();
      const how = signal ?? `status ${status}`;
      reject(new Error(`"${words.join(' ')}" ended with ${how}:\n${said}`));
    });
  });
}
