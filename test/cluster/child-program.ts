// A program that runs beside a test until it is stopped, and never longer than the test: the kernel
// ends it with us (prctl(2), PR_SET_PDEATHSIG), however we end.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const PROBE_EVERY_MS = 50;
const TERM_MS_MAX = 10_000;
const LOG_CHARACTERS_SHOWN = 3000;

export interface ProgramOptions {
  /** Gets `<name>.log`. */
  readonly logs: string;
  readonly environment?: NodeJS.ProcessEnv;
}

export class ChildProgram {
  readonly name: string;
  readonly logPath: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(path: string, words: readonly string[], { logs, environment }: ProgramOptions) {
    this.name = path.slice(path.lastIndexOf('/') + 1);
    this.logPath = join(logs, `${this.name}.log`);
    const log = openSync(this.logPath, 'a');
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', path, ...words], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...environment },
    });
    closeSync(log);
    // It is no reason for us to go on.
    this.#child.unref();
    this.#ended = new Promise(resolve => {
      this.#child.once('error', () => resolve());
      this.#child.once('exit', () => resolve());
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  get log(): string {
    return readFileSync(this.logPath, 'utf8');
  }

  /** @throws Error with the end of the log, when it ends before or takes longer */
  async ready(probe: () => Promise<boolean>, msMax: number): Promise<void> {
    const end = performance.now() + msMax;
    while (!(await probe())) {
      const problem = this.isRunning ? `is not ready after ${msMax} ms` : 'has ended';
      if (!this.isRunning || performance.now() > end) {
        throw new Error(`${this.name} ${problem}:\n${this.log.slice(-LOG_CHARACTERS_SHOWN)}`);
      }
      await delay(PROBE_EVERY_MS);
    }
  }

  /** At once, unless it is asked with SIGTERM; then it has ten seconds. Harmless twice. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), TERM_MS_MAX);
    await this.#ended;
    clearTimeout(timer);
  }
}
