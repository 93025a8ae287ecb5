// A program of ours that stays as a process of its own, as Kubernetes would start it; its log is
// read line by line.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { LogLine } from './log-lines.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

const READY_MS_MAX = 30_000;

export interface Surroundings {
  /** A command that becomes (exec) what its further words say. */
  readonly through?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export class ServiceProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly lines: LogLine[] = [];
  readonly #waiting = new Map<(line: LogLine) => boolean, (line: LogLine) => void>();

  /** `words` begin with the name of the program: `node-agent`. */
  constructor(words: readonly string[], { through = [], environment = {} }: Surroundings = {}) {
    const program = join(REPOSITORY_ROOT, 'agent/stevedore.js');
    const [command = '', ...rest] = [...through, process.execPath, program, ...words];
    this.#child = spawn(command, rest, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        STEVEDORE_DIST: process.env.STEVEDORE_DIST,
        ...environment,
      },
    });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('its output is a pipe');
    createInterface(stdout).on('line', line => this.#onLine(line));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The first line, of those that were and those to come, for which `isIt` says yes. */
  async lineWith(isIt: (line: LogLine) => boolean): Promise<LogLine> {
    const found = this.lines.find(isIt);
    if (found !== undefined) return found;
    const late = AbortSignal.timeout(READY_MS_MAX);
    const line = new Promise<LogLine>(resolve => this.#waiting.set(isIt, resolve));
    const gone = once(this.#child, 'exit', { signal: late }).then(
      () => Promise.reject(new Error(`it has ended: ${JSON.stringify(this.lines.at(-1))}`)),
      () => Promise.reject(new Error(`it was not said within ${READY_MS_MAX} ms`)),
    );
    return Promise.race([line, gone]);
  }

  /** Gives its status, or null where the signal has ended it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    return child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGTERM');
  }

  #onLine(text: string): void {
    let line: LogLine;
    try {
      // A line of the log is an object; anything else is shown as it is.
      line = JSON.parse(text) as LogLine;
    } catch {
      console.error(text);
      return;
    }
    this.lines.push(line);
    for (const [isIt, resolve] of this.#waiting) {
      if (!isIt(line)) continue;
      this.#waiting.delete(isIt);
      resolve(line);
    }
  }
}
