// The node agent as a process of its own, as a DaemonSet would start it; its log is read line by
// line.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

export type LogLine = Readonly<Record<string, unknown>>;

const READY_MS_MAX = 30_000;

export class AgentProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly lines: LogLine[] = [];
  readonly #waiting = new Map<(line: LogLine) => boolean, (line: LogLine) => void>();

  constructor(words: readonly string[]) {
    const program = join(REPOSITORY_ROOT, 'agent/stevedore.js');
    this.#child = spawn(process.execPath, [program, 'node-agent', 'server', ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        STEVEDORE_DIST: process.env.STEVEDORE_DIST,
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
      () => Promise.reject(new Error(`the agent ended: ${JSON.stringify(this.lines.at(-1))}`)),
      () => Promise.reject(new Error(`the agent did not say it within ${READY_MS_MAX} ms`)),
    );
    return Promise.race([line, gone]);
  }

  /** As the kubelet ends it. @returns its status, or the name of the signal that killed it */
  async end(): Promise<number | NodeJS.Signals | null> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await ended;
    }
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
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
